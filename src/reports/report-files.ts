import { createHash } from 'node:crypto';
import type { Queryable } from '../database/queryable.js';

/** A file of a report as it was stored, once and for all. */
export interface ReportFile {
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly sha256: string;
}

const PART_BYTES = 1_048_576;

/** Stores a file in the caller's transaction, piece by piece. @throws the database's own error where it is there already. */
export async function writeFile(
  tx: Queryable,
  reportId: string,
  { name, mediaType }: Pick<ReportFile, 'name' | 'mediaType'>,
  content: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
): Promise<ReportFile> {
  const sha256 = createHash('sha256');
  let gathered: Buffer[] = [];
  let length = 0;
  let part = 0;
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (length === 0) return;
    const piece = Buffer.concat(gathered);
    gathered = [];
    length = 0;
    for (let at = 0; at < piece.length; at += PART_BYTES) {
      await tx.query('INSERT INTO report_part (report_id, name, part, content) VALUES ($1, $2, $3, $4)', [
        reportId,
        name,
        part,
        piece.subarray(at, at + PART_BYTES),
      ]);
      part += 1;
    }
  };
  for await (const chunk of content) {
    const piece = typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk);
    sha256.update(piece);
    gathered.push(piece);
    length += piece.length;
    bytes += piece.length;
    if (length >= PART_BYTES) await flush();
  }
  await flush();
  const file = { name, mediaType, bytes, sha256: sha256.digest('hex') };
  await tx.query(
    'INSERT INTO report_file (report_id, name, media_type, bytes, sha256) VALUES ($1, $2, $3, $4, $5)',
    [reportId, name, mediaType, bytes, file.sha256],
  );
  return file;
}

/** Its files in the order of their names. */
export async function filesOf(db: Queryable, reportId: string): Promise<ReportFile[]> {
  return db.query<ReportFile>(
    `SELECT name, media_type AS "mediaType", bytes::float8 AS bytes, sha256 FROM report_file
      WHERE report_id = $1 ORDER BY name COLLATE "C"`,
    [reportId],
  );
}

/** What a file holds, piece by piece; nothing where there is none. */
export async function* readFile(db: Queryable, reportId: string, name: string): AsyncGenerator<Buffer> {
  for (let part = 0; ; part += 1) {
    const [row] = await db.query<{ content: Buffer }>(
      'SELECT content FROM report_part WHERE report_id = $1 AND name = $2 AND part = $3',
      [reportId, name, part],
    );
    if (row === undefined) return;
    yield row.content;
  }
}

/** A file that fits the memory, as what its name says it is small. */
export async function wholeFile(db: Queryable, reportId: string, name: string): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  for await (const piece of readFile(db, reportId, name)) pieces.push(piece);
  return pieces.length === 0 ? undefined : Buffer.concat(pieces);
}
