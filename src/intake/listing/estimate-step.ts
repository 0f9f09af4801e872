import type { BucketPolicy } from '../../s3/buckets.js';
import type { ListingPage } from '../../s3/list-pages.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import { sortEntries, type BackfillRun } from './backfill-step.js';
import {
  addFound,
  estimateOf,
  NOTHING_FOUND,
  throughputOf,
  type Estimate,
  type Found,
  type Prices,
} from './estimate.js';
import { needOf } from './need.js';
import type { Run } from './run.js';
import { extrapolate } from './sample.js';
import { knownVersions } from './sql/known-versions.js';
import { renewClaim } from './sql/runs.js';
import { verdictWindows } from './sql/throughput.js';
import { commitStep, LEASE_MS, RunLost, type ListingParts } from './steps.js';
import { listedVersion, uploadOf } from './store-listed.js';

/** How far an estimate looks. */
export interface EstimateBounds {
  /** Pages that are read one after the other; a bucket that has no more is told exactly. */
  readonly pages: number;
  /** Places elsewhere in a bucket that has more. */
  readonly samples: number;
}

// 100,000 versions: half a minute, and half a cent.
export const ESTIMATE_BOUNDS: EstimateBounds = { pages: 100, samples: 80 };

export interface EstimateArgs {
  readonly policy: BucketPolicy;
  readonly prices: Prices;
  readonly bounds: EstimateBounds;
  readonly pageSize: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * Looks into the bucket as far as the bounds allow and says what the backfill would come to. Reads only; after a crash it is
 * done again.
 *
 * @throws RunLost
 */
export async function estimateBackfill(
  parts: ListingParts,
  run: BackfillRun,
  args: EstimateArgs,
): Promise<Run> {
  const { policy, prices, bounds, pageSize, signal } = args;
  const look = new Look(parts, run);
  const kind = await parts.storage.listingKind(policy);
  const asked = { prefix: run.prefix, kind, pageSize, signal };
  let exact = NOTHING_FOUND;
  let pages = 0;
  let last: string | undefined;
  let isExact = false;
  for await (const each of parts.storage.listPages(policy, asked)) {
    exact = addFound(exact, await look.at(each));
    pages += 1;
    last = each.entries.at(-1)?.key ?? last;
    if (each.next === undefined) isExact = true;
    if (pages >= bounds.pages) break;
  }
  const rest =
    isExact || last === undefined
      ? { found: NOTHING_FOUND, seen: 0 }
      : await extrapolate({
          prefix: run.prefix,
          after: last,
          samples: bounds.samples,
          look: async (after) => {
            const listing = parts.storage.listPages(policy, { ...asked, after: { key: after } });
            const first = await listing.next();
            const told = first.done === true ? NO_PAGE : first.value;
            return {
              entries: told.entries.length,
              keys: someKeys(told),
              isLast: told.next === undefined,
              found: await look.at(told),
            };
          },
        });
  const estimate = estimateOf({
    found: addFound(exact, rest.found),
    seen: exact.entries + rest.seen,
    isExact,
    throughput: throughputOf(await verdictWindows(parts.database)),
    prices,
    tags: policy.actionMode !== 'observe',
  });
  return commitStep(parts, run, async () => afterEstimate(run, estimate, wholeMilliseconds(parts.clock)));
}

// Enough to learn how the keys of a bucket are written.
const KEYS_OF_PAGE = 20;

function someKeys({ entries }: ListingPage): readonly string[] {
  const every = Math.max(1, Math.floor(entries.length / KEYS_OF_PAGE));
  return entries.filter((_, i) => i % every === 0 || i === entries.length - 1).map(({ key }) => key);
}

const NO_PAGE: ListingPage = { entries: [], requests: 0 };

/** What the pages of one estimate come to. */
class Look {
  constructor(
    private readonly parts: ListingParts,
    private readonly run: BackfillRun,
  ) {}

  async at(page: ListingPage): Promise<Found> {
    const { database, rules, clock, owner } = this.parts;
    const { run } = this;
    const until = wholeMilliseconds(clock) + LEASE_MS;
    if (!(await renewClaim(database, { id: run.id, owner, until }))) throw new RunLost();
    const { endpointId = '', bucket = '' } = run;
    const versions = sortEntries(page.entries, run).wanted.map((entry) =>
      listedVersion(endpointId, bucket, entry),
    );
    const known = await knownVersions(database, versions);
    const match = await rules.match(database);
    const done = versions.filter((version) => {
      if (needOf(known.get(version), run.options) !== 'scan') return true;
      return match(uploadOf(version, 'backfill')).kind === 'skip';
    });
    const bytesOf = (some: readonly { readonly sizeBytes: number }[]) =>
      some.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return {
      entries: page.entries.length,
      objects: versions.length,
      bytes: bytesOf(versions),
      done: done.length,
      doneBytes: bytesOf(done),
    };
  }
}

function afterEstimate({ options }: BackfillRun, estimate: Estimate, at: number) {
  if (options.dryRun) return { estimate, state: 'completed' as const, endedAt: at };
  if (options.start) return { estimate, state: 'running' as const, startedAt: at };
  // There is nothing to say yes to.
  if (estimate.isExact && estimate.toScan === 0)
    return { estimate, state: 'completed' as const, endedAt: at };
  return { estimate, state: 'estimated' as const };
}
