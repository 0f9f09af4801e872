import { PRIORITY } from '../../backlog/priorities.js';
import { enqueue, type NewItem } from '../../backlog/sql/enqueue.js';
import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { Start, Upload } from '../../triggers/match.js';
import { lockKeys } from '../../verdicts/identity.js';
import type { ObjectRef } from '../../verdicts/ledger.js';
import { openScans, raiseGenerations } from '../../verdicts/sql/open-scan.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import type { Run } from './run.js';
import { insertItems } from './sql/items.js';
import { ledgerPage, underWayAmong, type LedgerRow } from './sql/ledger-page.js';
import { commitStep, isScanned, type ListingParts, type StepResult } from './steps.js';
import { startOf, uploadOf } from './store-listed.js';

export type RescanRun = Run & { readonly kind: 'rescan' };

const ROWS = 1000;
const SOURCE = 'rescan';

/** Takes the next rows of the ledger and opens a scan of each that is asked for. @throws RunLost */
export async function storeRescanPage(
  parts: ListingParts,
  run: RescanRun,
  rows: number = ROWS,
): Promise<Run> {
  const { endpointId, bucket, prefix, options } = run;
  const after = await commitStep(parts, run, async (tx) => {
    const page = await ledgerPage(tx, {
      endpointId,
      bucket,
      prefix,
      options,
      // What comes later is scanned by what changed.
      until: run.createdAt,
      after: run.ledgerPlace,
      limit: rows,
    });
    const at = wholeMilliseconds(parts.clock);
    const last = page.at(-1);
    const stored = await openRescans(tx, parts, run, page, at);
    return {
      ...stored,
      ...(page.length < rows || last === undefined
        ? { listedAt: at }
        : { ledgerPlace: { at: last.first_seen_at, id: last.id } }),
    };
  });
  parts.bell.ring();
  return after;
}

async function openRescans(
  tx: Queryable,
  { rules, buckets }: ListingParts,
  run: RescanRun,
  page: readonly LedgerRow[],
  at: Instant,
): Promise<StepResult> {
  const wanted = page.filter((row) => row.is_wanted);
  // A bucket that was taken off the list is not read any more.
  const registered = wanted.filter((row) => isScanned(buckets.find(row.endpoint_id, row.bucket)));
  const idle = registered.filter((row) => !row.is_under_way);
  await lockKeys(tx, idle.map(refOf));
  const underWay = await underWayAmong(
    tx,
    idle.map(({ id }) => id),
  );
  const match = await rules.match(tx);
  const matched = idle
    .filter(({ id }) => !underWay.has(id))
    .map((row) => ({ row, match: match(toldBy(row)) }));
  const starting = matched.flatMap(({ row, match: rule }) => (rule.kind === 'start' ? [{ row, rule }] : []));
  const items = await enqueueRescans(tx, run.id, starting, at);
  const bytesOf = (some: readonly { readonly sizeBytes: number }[]) =>
    some.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return {
    counts: {
      listed: wanted.length,
      listedBytes: bytesOf(wanted.map((row) => ({ sizeBytes: row.size_bytes ?? 0 }))),
      outOfScope: page.length - wanted.length,
      known: registered.length - matched.length,
      skipped: wanted.length - registered.length + matched.length - starting.length,
      enqueued: items.length,
      enqueuedBytes: bytesOf(items),
    },
  };
}

async function enqueueRescans(
  tx: Queryable,
  runId: string,
  starting: readonly { readonly row: LedgerRow; readonly rule: Start }[],
  at: Instant,
) {
  const generations = await raiseGenerations(
    tx,
    starting.map(({ row }) => row.id),
  );
  const scans = await openScans(
    tx,
    starting.map(({ row, rule }) => ({
      objectId: row.id,
      generation: generations.get(row.id) ?? 1,
      origin: 'request',
      requestedBy: `system:rescan:${runId}`,
      rule: rule.rule,
      openedObject: false,
      workflowName: rule.workflowName,
      at,
    })),
  );
  const items = starting.flatMap(({ row, rule }, index): (NewItem & { sizeBytes: number })[] => {
    const scan = scans[index];
    if (scan === undefined) return [];
    const common = { ...scan, ...startOf(rule, toldBy(row)), objectId: row.id, ref: refOf(row), at };
    return [{ ...common, priority: PRIORITY.rescan, source: SOURCE, sizeBytes: row.size_bytes ?? 0 }];
  });
  await enqueue(tx, items);
  await insertItems(tx, runId, items);
  return items;
}

const toldBy = (row: LedgerRow): Upload =>
  uploadOf({ ref: refOf(row), eTag: row.e_tag ?? undefined, sizeBytes: row.size_bytes ?? undefined }, SOURCE);

const refOf = (row: LedgerRow): ObjectRef => ({
  endpointId: row.endpoint_id,
  bucket: row.bucket,
  key: row.key,
  ...(row.version_id !== null && { versionId: row.version_id }),
});
