import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ClientBase } from 'pg';
import { copyOut } from './copy-out.js';
import type { BackupPart, BackupTable } from './manifest.js';
import type { BackupPlace } from './place.js';
import { quoted, type TableColumns } from './tables.js';

/*
 * A part is written and read as a whole, so it bounds the memory of both: a few of these. Larger ones gain nothing, since
 * the upload of one part takes far longer than its round trip.
 */
export const PART_BYTES = 16 * 1024 * 1024;

const compress = promisify(gzip);

/** Writes a table's rows in parts. Inside the transaction whose snapshot the backup is. */
export async function writeTable(
  client: ClientBase,
  { name, columns }: TableColumns,
  place: BackupPlace,
  partBytes: number,
): Promise<BackupTable> {
  const whole = createHash('sha256');
  const parts: BackupPart[] = [];
  let rows = 0;
  const statement = `COPY public."${name}" (${quoted(columns)}) TO STDOUT`;
  for await (const piece of copyOut(client, statement, partBytes)) {
    whole.update(piece.bytes);
    rows += piece.rows;
    const packed = await compress(piece.bytes);
    // Six digits, so that a listing is in the order of the rows.
    const file = `tables/${name}/${String(parts.length + 1).padStart(6, '0')}.gz`;
    await place.write(file, packed);
    parts.push({
      name: file,
      bytes: packed.length,
      sha256: sha256Of(packed),
      plainBytes: piece.bytes.length,
      rows: piece.rows,
    });
  }
  return { name, columns: [...columns], rows, sha256: whole.digest('hex'), parts };
}

export const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
