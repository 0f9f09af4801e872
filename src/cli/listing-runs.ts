import { COUNT_WORDS, type EstimateAnswer, type RunAnswer } from '../intake/listing/run-answer.js';
import { durationText, visible } from '../outbound/safe-text.js';
import { facts } from './facts.js';
import { s3Url } from './s3-url.js';

// A bucket's name and a prefix of 1,024 bytes.
const MAX_PLACE = 1_100;

export interface RunPage {
  readonly items: readonly RunAnswer[];
  readonly nextCursor?: string;
}

/** Where it looks. */
export const whereOf = ({ bucket, prefix }: RunAnswer): string =>
  bucket === null ? 'everywhere' : visible(s3Url(bucket, prefix), MAX_PLACE);

/** What has been begun, what it does, and how it is followed. */
export function begunLines(run: RunAnswer): string[] {
  const where = whereOf(run);
  const does = {
    backfill: `Begun: what ${where} holds is put in the queue, behind new uploads.`,
    rescan: `Begun: objects ${run.bucket === null ? 'of every bucket' : `of ${where}`} that the ledger knows are scanned again.`,
    reconcile: `Begun: ${where} is compared with the ledger; what no event told of is scanned, what vanished is marked as deleted.`,
  }[run.kind];
  return [does, `  Follow it with: sallyport backfill wait ${run.id}`];
}

/** What a backfill would come to. */
export function estimateLines(estimate: EstimateAnswer): string[] {
  const { requests, prices, throughput } = estimate;
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
        estimate.toScan === 0
          ? null
          : `about ${durationText(estimate.expectedSeconds * 1000)} (${throughput.basis}: ${Math.round(throughput.objectsPerSecond)} objects/s)`,
      ],
      ['requests', `${requests.list} LIST, ${asked} GET and HEAD, ${requests.putTags} PUT of tags`],
      ['cost', `${money(estimate.cost, prices.currency)}, at the prices that S3_PRICES says`],
    ]),
  ];
}

/** Nobody began it: it was asked for as an estimate, nobody said yes yet, or it has just been asked for. */
export const isOnlyEstimated = ({ startedAt, estimate }: RunAnswer): boolean =>
  startedAt === null && estimate !== null;

/** All about one run. */
export function runLines(run: RunAnswer): string[] {
  const { done, total, secondsToGo } = run.progress;
  const toGo = secondsToGo === null ? '' : `, about ${durationText(secondsToGo * 1000)} to go`;
  return [
    ...facts([
      [run.kind, run.state],
      ['id', run.id],
      ['where', whereOf(run)],
      ['asked for', `${run.createdAt} by ${askerOf(run)}`],
      ['done', isOnlyEstimated(run) ? null : `${done}${total === null ? '' : ` of ${total}`} objects${toGo}`],
      ['counted', countsText(run.counts)],
      ['verdicts', verdictsText(run.verdicts)],
      ['trouble', run.error],
      ['tried again', run.retryAt],
    ]),
    ...(isOnlyEstimated(run) && run.estimate !== null ? estimateLines(run.estimate) : []),
    ...(run.state === 'estimated' ? ['', ...choiceLines(run)] : []),
  ];
}

/** Who asked for it, and what for where that was not a wish of theirs. */
export const askerOf = ({ requestedBy, cause }: RunAnswer): string =>
  cause === 'request' ? requestedBy : `${requestedBy} (${cause})`;

/** Every count that is not 0, in words; with the bytes of its objects where they are known. */
function countsText(counts: RunAnswer['counts']): string {
  const bytes = (name: keyof typeof COUNT_WORDS): string => {
    const many = `${name}Bytes` in counts ? counts[`${name}Bytes` as keyof RunAnswer['counts']] : 0;
    return many === 0 ? '' : ` (${sizeOf(many)})`;
  };
  return (Object.keys(COUNT_WORDS) as (keyof typeof COUNT_WORDS)[])
    .filter((name) => counts[name] !== 0)
    .map((name) => `${COUNT_WORDS[name]}: ${counts[name]}${bytes(name)}`)
    .join('; ');
}

const verdictsText = (verdicts: RunAnswer['verdicts']): string =>
  Object.entries(verdicts)
    .filter(([, count]) => count !== 0)
    .map(([verdict, count]) => `${verdict}: ${count}`)
    .join('; ');

/** What is to be said to an estimate. */
export const choiceLines = ({ id }: RunAnswer): string[] => [
  `Begin with: sallyport backfill start ${id}`,
  `Or forget it: sallyport backfill cancel ${id}; within seven days it forgets itself.`,
];

const money = (cost: number, currency: string): string =>
  cost > 0 && cost < 0.01 ? `less than 0.01 ${currency}` : `about ${cost.toFixed(2)} ${currency}`;

function sizeOf(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let size = bytes;
  let unit = 0;
  for (; size >= 1000 && unit < units.length - 1; unit += 1) size /= 1000;
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}
