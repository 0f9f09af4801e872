import { visible } from '../outbound/safe-text.js';
import { facts } from './facts.js';
import { duration } from './lines.js';
import { s3Url } from './s3-url.js';

// A bucket's name and a prefix of 1,024 bytes.
const MAX_PLACE = 1_100;

export interface Estimate {
  readonly isExact: boolean;
  readonly seen: number;
  readonly objects: number;
  readonly bytes: number;
  readonly alreadyDone: number;
  readonly toScan: number;
  readonly bytesToScan: number;
  readonly expectedSeconds: number;
  readonly throughput: { readonly objectsPerSecond: number; readonly basis: string };
  readonly requests: Readonly<Record<'list' | 'get' | 'head' | 'getTags' | 'putTags', number>>;
  readonly cost: number;
  readonly prices: Readonly<Record<string, string | number>> & { readonly currency: string };
}

/** A backfill, rescan or reconciliation, as the service tells it. */
export interface Run {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly bucket: string | null;
  readonly prefix: string;
  readonly cause: string;
  readonly createdAt: string;
  readonly progress: {
    readonly done: number;
    readonly total: number | null;
    readonly secondsToGo: number | null;
    readonly objectsPerSecond: number | null;
  };
  readonly counts: Readonly<Record<string, number>>;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly estimate: Estimate | null;
  readonly error: string | null;
  readonly retryAt: string | null;
}

export interface RunPage {
  readonly items: readonly Run[];
  readonly nextCursor?: string;
}

/** Where it looks. */
export const whereOf = ({ bucket, prefix }: Run): string =>
  bucket === null ? 'everywhere' : visible(s3Url(bucket, prefix), MAX_PLACE);

/** What a backfill would come to. */
export function estimateLines(estimate: Estimate): string[] {
  const { requests, prices, throughput } = estimate;
  const money = `${estimate.cost.toFixed(estimate.cost < 1 ? 4 : 2)} ${prices.currency}`;
  const asked = requests.get + requests.head + requests.getTags;
  return [
    ...(estimate.isExact
      ? []
      : [`A rough figure: ${estimate.seen} versions were looked at, the rest is extrapolated from them.`]),
    ...facts([
      [
        'found',
        `${estimate.objects} objects, ${sizeOf(estimate.bytes)}; ${estimate.alreadyDone} are done already`,
      ],
      ['to scan', `${estimate.toScan} objects, ${sizeOf(estimate.bytesToScan)}`],
      [
        'time',
        `about ${duration(estimate.expectedSeconds * 1000)} (${throughput.basis}: ${Math.round(throughput.objectsPerSecond)} objects/s)`,
      ],
      ['requests', `${requests.list} LIST, ${asked} GET and HEAD, ${requests.putTags} PUT of tags`],
      ['cost', `about ${money}, at the prices that S3_PRICES says`],
    ]),
  ];
}

/** All about one run. */
export function runLines(run: Run): string[] {
  const { done, total, secondsToGo } = run.progress;
  const toGo = secondsToGo === null ? '' : `, about ${duration(secondsToGo * 1000)} to go`;
  return [
    ...facts([
      [run.kind, `${run.id}  ${run.state}`],
      ['where', whereOf(run)],
      ['begun', `${run.createdAt} by ${run.cause}`],
      ['done', `${done}${total === null ? '' : ` of ${total}`} objects${toGo}`],
      ['counted', named(run.counts)],
      ['verdicts', named(run.verdicts)],
      ['trouble', run.error],
      ['tried again', run.retryAt],
    ]),
    ...(run.state === 'estimated' && run.estimate !== null ? estimateLines(run.estimate) : []),
  ];
}

const named = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

function sizeOf(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let size = bytes;
  let unit = 0;
  for (; size >= 1000 && unit < units.length - 1; unit += 1) size /= 1000;
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}
