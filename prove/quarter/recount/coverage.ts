import { count, groupBy, isIn, type ObjectRow, type Tables, type VerdictRow, type Week } from './tables.js';

/** What an auditor asks of each verdict. */
const GROUP_OF: Readonly<Record<string, string>> = {
  clean: 'clean',
  infected: 'found',
  secrets: 'found',
  suspicious: 'found',
  encrypted: 'notWhole',
  incomplete: 'notWhole',
  unsupported: 'notWhole',
  archived: 'notWhole',
  denied: 'notWhole',
  failed: 'notWhole',
  gone: 'notScanned',
  superseded: 'notScanned',
  skipped: 'notScanned',
  pending: 'pending',
};

/** Uploads of a week, told row by row: who opened the object's row, and what was said of it until the week ended. */
export function recountCoverage(tables: Tables, week: Week) {
  const copies = copiesIn(tables);
  const said = groupBy(tables.verdicts, ({ object_id: id }) => id);
  const objects = new Map(tables.objects.map((object) => [object.id, object]));
  const openers = [
    ...tables.events.map(({ object_id: id, opened_object: opened, received_at: at }) => ({ id, opened, at })),
    ...tables.scans.map(({ object_id: id, opened_object: opened, requested_at: at }) => ({ id, opened, at })),
  ];
  let uploaded = 0;
  let copiesOpened = 0;
  for (const { id, opened, at } of openers) {
    const object = objects.get(id ?? '');
    if (!opened || object === undefined || object.folded_into !== null || !isIn(week, at)) continue;
    if (copies.has(object.id)) copiesOpened += 1;
    else uploaded += 1;
  }
  const byVerdict: Record<string, number> = {};
  const groups: Record<string, number> = { clean: 0, found: 0, notWhole: 0, notScanned: 0, pending: 0 };
  const reasons: Record<string, number> = {};
  const buckets: Record<string, number> = {};
  const skippedBy: Record<string, number> = {};
  let bytes = 0;
  let copiesAccountedFor = 0;
  for (const object of tables.objects) {
    if (object.folded_into !== null || !isIn(week, object.first_seen_at)) continue;
    const last = lastBefore(said.get(object.id) ?? [], week.to);
    if (copies.has(object.id)) {
      copiesAccountedFor += 1;
      continue;
    }
    const verdict = last?.verdict ?? 'pending';
    const group = GROUP_OF[verdict] ?? 'no group';
    count(byVerdict, verdict);
    count(groups, group);
    if (group !== 'clean' && verdict !== 'pending') count(reasons, `${verdict} ${last?.reason}`);
    if (verdict === 'skipped') count(skippedBy, last?.reason ?? '');
    count(buckets, `${object.bucket} uploaded`);
    count(buckets, `${object.bucket} ${group}`);
    bytes += Number(object.size_bytes ?? 0);
  }
  return {
    uploaded,
    bytes,
    copies: { opened: copiesOpened, accountedFor: copiesAccountedFor },
    byVerdict,
    groups,
    reasons,
    buckets,
    skippedBy,
    pending: recountPending(tables, week, { copies, said, uploaded }),
  };
}

/** Those that nobody had judged yet, when the week began and when it ended. */
function recountPending(
  { objects }: Tables,
  { from, to }: Week,
  known: { copies: ReadonlySet<string>; said: ReadonlyMap<string, readonly VerdictRow[]>; uploaded: number },
) {
  const pending = { opening: 0, uploaded: known.uploaded, settled: 0, closing: 0 };
  for (const object of objects) {
    if (object.folded_into !== null || known.copies.has(object.id)) continue;
    const seen = Number(object.first_seen_at);
    const judged = Math.min(...(known.said.get(object.id) ?? []).map(({ at }) => Number(at)));
    if (seen < from && judged >= from) pending.opening += 1;
    if (seen < to && judged >= to) pending.closing += 1;
    if (seen < to && judged >= from && judged < to) pending.settled += 1;
  }
  return pending;
}

/** Object versions that a release wrote: their version's id says so. */
function copiesIn({ objects, released }: Tables): ReadonlySet<string> {
  const placeOf = (row: Pick<ObjectRow, 'endpoint_id' | 'bucket' | 'key' | 'version_id'>): string =>
    JSON.stringify([row.endpoint_id, row.bucket, row.key, row.version_id]);
  const written = new Set(released.filter((row) => row.version_id !== null).map(placeOf));
  return new Set(objects.filter((object) => written.has(placeOf(object))).map(({ id }) => id));
}

/** The word of the newest scan counts, and of one scan its last. */
function lastBefore(verdicts: readonly VerdictRow[], to: number): VerdictRow | undefined {
  let last: VerdictRow | undefined;
  for (const verdict of verdicts) {
    if (Number(verdict.at) >= to) continue;
    const isNewer =
      last === undefined ||
      verdict.generation > last.generation ||
      (verdict.generation === last.generation && Number(verdict.id) > Number(last.id));
    if (isNewer) last = verdict;
  }
  return last;
}
