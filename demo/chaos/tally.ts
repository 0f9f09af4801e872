import { createHash } from 'node:crypto';
import { GetObjectTaggingCommand, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Acknowledged } from '../../prove/kill-uploads/chaos.js';
import type { ServiceProcess } from '../../test/support/service-process.js';

/** What is left when everything is added up: the demonstration holds when `lost` and `twice` are 0 and nothing is wrong. */
export interface Tally {
  /** What S3 itself lists. */
  readonly uploaded: number;
  readonly verdicts: number;
  readonly lost: number;
  readonly twice: number;
  /** Everything else that does not agree, in sentences. */
  readonly wrong: readonly string[];
}

interface LedgerRow {
  readonly id: string;
  readonly key: string;
  readonly versionId: string | null;
  readonly verdict: string;
}

const idOf = (key: string, versionId: string | null | undefined): string => JSON.stringify([key, versionId]);

/**
 * Compares three accounts that know nothing of each other: what the uploader was told, what S3 lists, and the ledger.
 * Each version's bytes must be those that were sent, its verdict the right one, said once, and its tag the same.
 */
export async function addUp(service: ServiceProcess, acknowledged: readonly Acknowledged[]): Promise<Tally> {
  const s3 = service.s3();
  try {
    const listed = await listVersions(s3);
    const ledger = new Map<string, LedgerRow[]>();
    for (const row of await service.all<LedgerRow>('/api/v1/objects?bucket=uploads')) {
      const id = idOf(row.key, row.versionId);
      ledger.set(id, [...(ledger.get(id) ?? []), row]);
    }
    const wrong: string[] = [];
    let verdicts = 0;
    let lost = 0;
    let twice = 0;
    for (const [id, version] of listed) {
      const [row, ...more] = ledger.get(id) ?? [];
      const { verdicts: said } =
        row === undefined
          ? { verdicts: [] }
          : await service.api<{ verdicts: unknown[] }>(`/api/v1/objects/${row.id}`);
      if (said.length > 0) verdicts += 1;
      if (said.length === 0) lost += 1;
      if (more.length > 0 || said.length > 1) twice += 1;
      const tag = row === undefined ? undefined : await tagOf(s3, version.key, version.versionId);
      if (row !== undefined && tag !== row.verdict)
        wrong.push(`${version.key} is tagged ${tag ?? 'nothing'}, and ${row.verdict} in the ledger`);
    }
    wrong.push(...promisesBroken(acknowledged, listed, ledger));
    return { uploaded: listed.size, verdicts, lost, twice, wrong };
  } finally {
    s3.destroy();
  }
}

/** What S3 acknowledged must be there, byte for byte, and judged as what it is. */
function promisesBroken(
  acknowledged: readonly Acknowledged[],
  listed: ReadonlyMap<string, Listed>,
  ledger: ReadonlyMap<string, readonly LedgerRow[]>,
): string[] {
  const wrong: string[] = [];
  for (const { key, versionId, body, verdict } of acknowledged) {
    const id = idOf(key, versionId);
    const version = listed.get(id);
    if (version === undefined) wrong.push(`${key} was acknowledged and is not listed`);
    else if (version.eTag !== createHash('md5').update(body).digest('hex'))
      wrong.push(`${key} does not hold the bytes that were sent`);
    const said = ledger.get(id)?.[0]?.verdict;
    if (said !== verdict) wrong.push(`${key} is called ${said ?? 'nothing'} instead of ${verdict}`);
  }
  return wrong;
}

interface Listed {
  readonly key: string;
  readonly versionId: string;
  readonly eTag: string;
}

async function listVersions(s3: S3Client): Promise<Map<string, Listed>> {
  const versions = new Map<string, Listed>();
  let at: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
  for (;;) {
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket: 'uploads', ...at }));
    for (const { Key: key = '', VersionId: versionId = '', ETag = '' } of page.Versions ?? [])
      versions.set(idOf(key, versionId), { key, versionId, eTag: ETag.replaceAll('"', '') });
    if (page.IsTruncated !== true) return versions;
    at = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
}

async function tagOf(s3: S3Client, Key: string, VersionId: string): Promise<string | undefined> {
  const { TagSet = [] } = await s3.send(new GetObjectTaggingCommand({ Bucket: 'uploads', Key, VersionId }));
  return TagSet.find((tag) => tag.Key === 'sallyport-verdict')?.Value;
}
