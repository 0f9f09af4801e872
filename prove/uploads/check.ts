import { GetObjectTaggingCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import type { ServiceProcess } from '../../test/support/service-process.js';
import { PLAIN, VERSIONED, type Put, type Workload } from './workload.js';

interface Row {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | null;
  readonly eTag: string | null;
  readonly isLatest: boolean;
  readonly verdict: string;
}

export interface Account {
  readonly problems: readonly string[];
  readonly verdicts: Readonly<Record<string, number>>;
  readonly rows: number;
}

/**
 * Compares the ledger with what S3 acknowledged: each version has one row and one verdict, the right one; of a bucket
 * without versions what S3 lists now is the latest state, judged and tagged as what it is.
 *
 * @param wasDenied whether our own proxy refused the object once, so that `denied` is the truth.
 */
export async function check(
  service: ServiceProcess,
  s3: S3Client,
  workload: Workload,
  wasDenied: (bucket: string, key: string) => boolean,
): Promise<Account> {
  const rows = await service.all<Row>('/api/v1/objects');
  const problems: string[] = [];
  const verdicts: Record<string, number> = {};
  for (const row of rows) {
    verdicts[row.verdict] = (verdicts[row.verdict] ?? 0) + 1;
    if (row.verdict === 'pending') problems.push(`${place(row)} has no verdict`);
    const { verdicts: said } = await service.api<{ verdicts: { verdict: string }[] }>(
      `/api/v1/objects/${row.id}`,
    );
    if (said.length !== 1)
      problems.push(
        `${place(row)} has ${said.length} verdicts: ${said.map(({ verdict }) => verdict).join(', ')}`,
      );
  }
  problems.push(...versionsWrong(rows, workload, wasDenied));
  problems.push(...(await latestWrong(rows, s3, workload.puts, wasDenied)));
  return { problems, verdicts, rows: rows.length };
}

function versionsWrong(
  rows: readonly Row[],
  { puts, removed }: Workload,
  wasDenied: (bucket: string, key: string) => boolean,
): string[] {
  const byVersion = new Map<string, Row[]>();
  for (const row of rows) {
    if (row.bucket !== VERSIONED) continue;
    const id = `${row.key} ${row.versionId}`;
    byVersion.set(id, [...(byVersion.get(id) ?? []), row]);
  }
  const problems: string[] = [];
  for (const put of puts) {
    if (put.bucket !== VERSIONED) continue;
    const id = `${put.key} ${put.versionId}`;
    const [row, ...more] = byVersion.get(id) ?? [];
    if (row === undefined) problems.push(`${put.bucket}/${id} is not in the ledger`);
    else if (more.length > 0) problems.push(`${put.bucket}/${id} has ${1 + more.length} rows`);
    else if (!isRight(row.verdict, put, removed.has(id), wasDenied(put.bucket, put.key)))
      problems.push(`${place(row)} is called ${row.verdict} instead of ${put.verdict}`);
  }
  return problems;
}

const isRight = (said: string, put: Put, isGone: boolean, wasDenied: boolean): boolean =>
  said === put.verdict || (isGone && said === 'gone') || (wasDenied && said === 'denied');

async function latestWrong(
  rows: readonly Row[],
  s3: S3Client,
  puts: readonly Put[],
  wasDenied: (bucket: string, key: string) => boolean,
): Promise<string[]> {
  const problems: string[] = [];
  const plain = rows.filter(({ bucket }) => bucket === PLAIN);
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket: PLAIN })) {
    for (const { Key: key = '', ETag = '' } of Contents) {
      const eTag = ETag.replaceAll('"', '');
      const latest = plain.filter((row) => row.key === key && row.isLatest);
      const [row] = latest;
      const put = puts.find((one) => one.bucket === PLAIN && one.key === key && one.eTag === eTag);
      if (row === undefined || latest.length !== 1) {
        problems.push(`${PLAIN}/${key} has ${latest.length} latest rows`);
      } else if (row.eTag !== eTag) {
        problems.push(`${place(row)} is the latest in the ledger, and another state is in S3`);
      } else if (put !== undefined && !isRight(row.verdict, put, false, wasDenied(PLAIN, key))) {
        problems.push(`${place(row)} is called ${row.verdict} instead of ${put.verdict}`);
      } else if (row.verdict !== 'denied') {
        const { TagSet = [] } = await s3.send(new GetObjectTaggingCommand({ Bucket: PLAIN, Key: key }));
        const tag = TagSet.find((one) => one.Key === 'sallyport-verdict')?.Value;
        // A tag that S3 refused is told in the ledger; one that says something else is stale.
        if (tag !== row.verdict && !(tag === undefined && wasDenied(PLAIN, key)))
          problems.push(`${place(row)} is tagged ${tag ?? 'nothing'} instead of ${row.verdict}`);
      }
    }
  }
  return problems;
}

const place = ({ bucket, key, versionId }: Row): string => `${bucket}/${key} ${versionId ?? ''}`.trim();
