import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';
import { facts } from '../facts.js';
import { countsOf, findingText, type Finding, type FindingCounts } from '../findings.js';
import { gapLines, type Gap } from '../gaps.js';
import { parseObjectUrl, s3Url } from '../s3-url.js';
import { table } from '../table.js';
import { query, wholeNumber } from '../values.js';

interface ObjectVersion {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | null;
  readonly sizeBytes: number | null;
  readonly detectedType: string | null;
  readonly isLatest: boolean;
  readonly verdict: string;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly engines: readonly {
    readonly name: string;
    readonly version: string;
    readonly databaseDate?: string;
  }[];
  readonly bytesScanned: number | null;
  readonly bytesTotal: number | null;
  readonly required: readonly string[] | null;
  readonly sha256: string | null;
  readonly uploadedAt: string;
  readonly firstSeenAt: string;
  readonly scannedAt: string | null;
  readonly deletedAt: string | null;
  readonly workflowId: string | null;
  readonly decision: string | null;
  readonly action: string | null;
  readonly actionPerformed: boolean | null;
  readonly openReviewId: string | null;
  readonly findingCounts: FindingCounts;
}

/** By whose word something was done; the name as people say it, where it is known. */
interface Decider {
  readonly reviewId: string | null;
  readonly decidedBy: string | null;
  readonly deciderName: string | null;
  readonly at: string;
}

interface ObjectPage {
  readonly items: readonly ObjectVersion[];
  readonly nextCursor?: string;
}

type ObjectStory = ObjectVersion & {
  readonly findings: readonly Finding[];
  readonly scans: readonly unknown[];
  readonly actions: readonly Action[];
  /** The newest first. */
  readonly verdicts: readonly { readonly verdict: string; readonly notCovered: readonly Gap[] }[];
  readonly decisions: readonly (Decider & { readonly outcome: string; readonly reason: string })[];
  /** This version is a copy that a release wrote; what was scanned is another. */
  readonly releasedFrom: (Decider & { readonly objectId: string }) | null;
};

/** Something done to the object, or deliberately not done: the newest first. */
interface Action {
  readonly action: string;
  readonly performed: boolean;
  readonly note: string | null;
  readonly data: { readonly quarantine?: { readonly bucket: string; readonly key: string } } | null;
}

// What the service lists at once.
const MAX_PAGE = 500;
const SHOWN_FINDINGS = 20;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `objects list|show|release`: the ledger, read; and the way out of quarantine. */
export function addObjects(program: Command, cli: Cli): void {
  const group = program.command('objects').description('what the ledger says of uploads');
  group
    .command('list')
    .description('list object versions, those first that were seen last')
    .option('--bucket <NAME>')
    .option('--key <KEY>', 'exactly this key')
    .option('--prefix <PREFIX>', 'keys that begin so')
    .option('--verdict <VERDICTS>', 'one or more by comma, as in infected,secrets')
    .option('--from <TIME>', 'seen from then on, as in 2026-01-31T00:00:00Z')
    .option('--to <TIME>', 'seen before then')
    .option('--limit <N>', 'at most so many', wholeNumber('--limit', 1, MAX_PAGE), 50)
    .option('--cursor <CURSOR>', 'the next page, as the last one said')
    .action(async (options: Record<string, string | number | undefined>) => {
      const { bucket, key, prefix, verdict, from, to, limit, cursor } = options;
      const path = query('/api/v1/objects', { bucket, key, prefix, verdict, from, to, limit, cursor });
      const page = await cli.client.call<ObjectPage>('GET', path);
      cli.print(page, ({ items }) =>
        table(
          ['ID', 'VERDICT', 'REASON', 'FINDINGS', 'SEEN', 'OBJECT'],
          items.map((one) => [
            one.id,
            one.verdict,
            one.reason,
            countsOf(one.findingCounts),
            one.firstSeenAt,
            s3Url(one.bucket, one.key),
          ]),
        ),
      );
      cli.more(page.nextCursor);
    });
  group
    .command('show')
    .description('all that is known of one object version')
    .argument('<ID-OR-S3-URL>', 'its id, or s3://bucket/key')
    .option('--version-id <ID>', 'of the key; the newest by default')
    .action(async (place: string, { versionId }: { versionId?: string }) => {
      const id = UUID.test(place) ? place : await idOf(cli, place, versionId);
      const object = await storyOf(cli, id);
      const { releasedFrom } = object;
      if (releasedFrom === null) return cli.print(object, shown);
      const scanned = await storyOf(cli, releasedFrom.objectId);
      cli.print({ ...object, scanned }, () => [
        ...shown(object),
        '',
        'It is the copy that a release wrote. What had been scanned:',
        ...shown(scanned).map((line) => `  ${line}`),
      ]);
    });
  group
    .command('release')
    .description('ask two people whether an object may leave quarantine, after its own review is over')
    .argument('<ID-OR-S3-URL>', 'its id, or s3://bucket/key')
    .option('--version-id <ID>', 'of the key; the one that lies in quarantine by default')
    .requiredOption('--reason <TEXT>', 'why it may go back')
    .action(async (place: string, { versionId, reason }: { versionId?: string; reason: string }) => {
      const id = UUID.test(place) ? place : await idOf(cli, place, versionId, isInQuarantine);
      const path = `/api/v1/objects/${encodeURIComponent(id)}/release`;
      cli.print(await cli.client.call<{ workflowId: string }>('POST', path, { reason }), ({ workflowId }) => [
        `${workflowId} asks two others: sallyport review list`,
      ]);
    });
}

const storyOf = (cli: Cli, id: string): Promise<ObjectStory> =>
  cli.client.call<ObjectStory>('GET', `/api/v1/objects/${encodeURIComponent(id)}`);

async function idOf(
  cli: Cli,
  url: string,
  versionId: string | undefined,
  isMeant: (version: ObjectVersion) => boolean = ({ isLatest }) => isLatest,
): Promise<string> {
  const { bucket, key } = parseObjectUrl(url);
  const path = query('/api/v1/objects', { bucket, key, limit: MAX_PAGE });
  const { items } = await cli.client.call<ObjectPage>('GET', path);
  const found =
    versionId === undefined
      ? (items.find(isMeant) ?? items[0])
      : items.find((one) => one.versionId === versionId);
  if (found !== undefined) return found.id;
  throw new CommandError(
    `The ledger knows no ${versionId === undefined ? 'such object' : 'such version'}. Scan it with: sallyport scan ${url}`,
  );
}

function shown(object: ObjectStory): string[] {
  const { bytesScanned, bytesTotal, engines, findings, releasedFrom, scans } = object;
  const [decision] = object.decisions;
  return [
    ...facts([
      ['object', s3Url(object.bucket, object.key)],
      ['version', object.versionId],
      ['id', object.id],
      ['verdict', object.verdict],
      ['reason', object.reason],
      ['detail', object.detail],
      ['size', object.sizeBytes === null ? null : `${object.sizeBytes} bytes`],
      ['type', object.detectedType],
      ['sha-256', object.sha256],
      ['scanned', isScanned(object) ? `${bytesScanned ?? 0} of ${bytesTotal} bytes` : null],
      ['scans', scans.length > 1 ? scans.length : null],
      ['required', object.required?.join(', ')],
      ['engines', engines.map(engineText).join(', ')],
      ['uploaded', object.uploadedAt],
      ['first seen', object.firstSeenAt],
      // What a rule or a person took away was judged, and no engine looked at it.
      [engines.length === 0 ? 'decided at' : 'scanned at', object.scannedAt],
      [wasQuarantined(object) ? 'moved at' : 'deleted at', object.deletedAt],
      [
        'decision',
        decision === undefined
          ? object.decision
          : `${decision.outcome} ${byWhom(decision)}${decision.reason === '' ? '' : `: ${decision.reason}`}`,
      ],
      ['released', releasedFrom === null ? null : byWhom(releasedFrom)],
      [
        'action',
        object.action === null
          ? null
          : `${object.action} (${object.actionPerformed === true ? 'done' : 'not done'})${noteOf(object)}`,
      ],
      ['now at', quarantinedAt(object)],
      ['review', object.openReviewId ?? decision?.reviewId ?? releasedFrom?.reviewId],
      ['workflow', object.workflowId],
    ]),
    ...findings.slice(0, SHOWN_FINDINGS).map((finding) => `finding  ${findingText(finding)}`),
    ...(findings.length > SHOWN_FINDINGS
      ? [`${findings.length - SHOWN_FINDINGS} more findings; see --json`]
      : []),
    ...gapLines(gapsOf(object)),
  ];
}

const engineText = ({ name, version, databaseDate }: ObjectVersion['engines'][number]): string =>
  `${name} ${version}${databaseDate === undefined ? '' : ` (database of ${databaseDate})`}`;

/** Somebody looked, or was to: what a rule or a person took away has bytes too, and none of them were read. */
const isScanned = ({ bytesTotal, engines, verdict }: ObjectStory): boolean =>
  bytesTotal !== null && (engines.length > 0 || verdict !== 'skipped');

/** Of the verdict; where that says what was looked at, nobody asked for the rest. */
const gapsOf = ({ verdict, verdicts }: ObjectStory): readonly Gap[] =>
  verdict.startsWith('clean') ? [] : (verdicts[0]?.notCovered ?? []);

/** Why it was done so, or not done. */
function noteOf({ action, actions }: ObjectStory): string {
  const note = actions.find((one) => one.action === action)?.note ?? '';
  return note === '' ? '' : `: ${note}`;
}

/** Where it was moved, unless it left there since. */
function quarantinedAt({ actions }: ObjectStory): string | undefined {
  const last = actions.find(({ action, performed }) => performed && MOVES.has(action));
  const place = last?.action === 'quarantined' ? last.data?.quarantine : undefined;
  return place === undefined ? undefined : `${s3Url(place.bucket, place.key)} (in quarantine)`;
}

/** By what was done to it last; what was refused once stays there. */
const isInQuarantine = ({ action, actionPerformed, deletedAt }: ObjectVersion): boolean =>
  deletedAt !== null &&
  (action === 'kept' ||
    (action === 'quarantined' && actionPerformed === true) ||
    (action === 'released' && actionPerformed === false));

/** Then it left its place by that, and a deletion later was of the copy. */
const wasQuarantined = ({ actions }: ObjectStory): boolean =>
  actions.some(({ action, performed }) => performed && action === 'quarantined');

const MOVES: ReadonlySet<string> = new Set(['quarantined', 'released', 'deleted']);

const byWhom = ({ decidedBy, deciderName, at }: Decider): string =>
  `by ${deciderName ?? decidedBy ?? 'nobody who is known'} at ${at}`;
