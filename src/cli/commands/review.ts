import type { Command } from 'commander';
import { visible } from '../../outbound/safe-text.js';
import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';
import { confirmed } from '../confirm.js';
import { facts } from '../facts.js';
import { findingText, type Finding } from '../findings.js';
import { gapLines, type Gap } from '../gaps.js';
import { s3Url } from '../s3-url.js';
import { table } from '../table.js';
import { query, wholeNumber } from '../values.js';
import { waitFor } from '../waiting.js';
import { addReviewActs } from './review-acts.js';

interface Person {
  readonly id: string;
  readonly name: string;
}

interface Outcome {
  readonly name: string;
  readonly label: string;
  readonly effect: string;
  readonly needsReason: boolean;
}

interface Review {
  readonly id: string;
  readonly workflowId: string;
  readonly title: string;
  readonly queue: string;
  readonly state: string;
  readonly verdict: string | null;
  readonly reason: string | null;
  readonly outcomes: readonly Outcome[];
  readonly scanId: string | null;
  readonly object: {
    readonly id: string;
    readonly bucket: string;
    readonly key: string;
    readonly versionId: string | null;
  } | null;
  readonly findingsTotal: number;
  readonly subjectDigest: string;
  readonly claim: { readonly by: Person; readonly at: string } | null;
  readonly asks: readonly { readonly kind: 'user' | 'group'; readonly name: string }[];
  readonly dueAt: string | null;
  readonly votes: readonly { readonly label: string; readonly by: Person }[];
  readonly quorum: { readonly approve: number };
  readonly decision: {
    readonly label: string;
    readonly by: Person;
    readonly at: string;
    readonly via: string;
    readonly reason: string;
  } | null;
  readonly cancelled: { readonly at: string; readonly reason: string } | null;
  readonly createdAt: string;
}

type ReviewDetail = Review & {
  readonly findings: readonly Finding[];
  /** Absent in the answer of an older service. */
  readonly notCovered?: readonly Gap[];
  readonly notCoveredTotal?: number;
};

interface ReviewPage {
  readonly items: readonly Review[];
  readonly nextCursor: string | null;
}

/** `review list|show|claim|release|decide|…`: what waits for a person. */
export function addReview(program: Command, cli: Cli): void {
  const group = program.command('review').description('what waits for a person, and the answers');
  group
    .command('list')
    .description('list reviews, the newest first; those that wait, when no state is named')
    .option(
      '--state <STATES>',
      'one or more by comma: OPEN, ASSIGNED, CLAIMED, ON_HOLD, INFO_REQUESTED, COMPLETED, EXPIRED, SKIPPED, CANCELLED; WAITING is the first five',
      'WAITING',
    )
    .option('--mine', 'those that I hold')
    .option('--limit <N>', 'at most so many', wholeNumber('--limit', 1, 200), 50)
    .option('--cursor <CURSOR>', 'the next page, as the last one said')
    .action(async (options: { state: string; mine?: true; limit: number; cursor?: string }) => {
      const { state, mine, limit, cursor } = options;
      const asked = { state, mine: mine === true ? 'true' : undefined, limit, cursor };
      const page = await cli.client.call<ReviewPage>('GET', query('/api/v1/reviews', asked));
      cli.print(page, ({ items }) =>
        table(
          ['ID', 'STATE', 'VERDICT', 'QUEUE', 'SINCE', 'HELD BY', 'TITLE', 'OBJECT'],
          items.map((one) => [
            one.id,
            one.state,
            one.verdict,
            one.queue,
            one.createdAt,
            one.claim?.by.name,
            one.title,
            objectOf(one),
          ]),
        ),
      );
      cli.more(page.nextCursor ?? undefined);
    });
  group
    .command('show')
    .description('show a review: the evidence, and the outcomes to choose from')
    .argument('<ID>')
    .action(async (id: string) => cli.print(await get(cli, id), shown));
  for (const command of ['claim', 'release'] as const) {
    group
      .command(command)
      .description(
        command === 'claim' ? 'claim a review: nobody else decides it then' : 'give back what you claimed',
      )
      .argument('<ID>')
      .action(async (id: string) => {
        const review = await cli.client.call<ReviewDetail>('POST', `${pathOf(id)}/${command}`, {});
        cli.print(review, () => [command === 'claim' ? 'It is yours to decide.' : 'Given back.']);
      });
  }
  group
    .command('decide')
    .description('answer a review')
    .argument('<ID>')
    .argument('<OUTCOME>', 'one of those that `review show` names')
    .option('--reason <TEXT>', 'kept in the audit trail; some outcomes need one')
    .option('--digest <DIGEST>', 'of what was shown, as `review show` says it; refused when that has changed')
    .option('--yes', 'at a terminal: release or delete without asking a second time')
    .action((id: string, outcome: string, options: DecideOptions) => decide(cli, id, outcome, options));
  addReviewActs(group, cli);
}

interface DecideOptions {
  readonly reason?: string;
  readonly digest?: string;
  readonly yes?: true;
}

// What nobody takes back: what is deleted is gone, and what is let go may have been read.
const LASTING = new Set(['release', 'delete']);

async function decide(
  cli: Cli,
  id: string,
  outcome: string,
  { reason, digest, yes }: DecideOptions,
): Promise<void> {
  const review = await get(cli, id);
  const chosen = review.outcomes.find(({ name }) => name === outcome);
  if (chosen === undefined) {
    throw new CommandError(
      `"${outcome}" is no outcome of this review. Choose one of: ${review.outcomes.map(({ name }) => name).join(', ')}.`,
    );
  }
  if (chosen.needsReason && (reason ?? '').trim() === '') {
    throw new CommandError(`“${chosen.label}” needs a reason, which the audit trail keeps: --reason TEXT.`);
  }
  // A script has said its word by being one.
  if (LASTING.has(outcome) && yes !== true && cli.ask !== undefined) {
    const question = `${chosen.label} ${visible(objectOf(review) ?? review.title, 300)}? ${chosen.effect}`;
    if (!(await confirmed(cli, question, '--yes'))) {
      cli.exitCode = 1;
      return cli.print({ decided: false, review }, () => ['Nothing was decided.']);
    }
  }
  const decided = await cli.client.call<ReviewDetail>('POST', `${pathOf(id)}/decide`, {
    outcome,
    ...(reason !== undefined && { reason }),
    digest: digest ?? review.subjectDigest,
  });
  if (cli.json) return cli.print(decided, () => []);
  if (decided.decision === null) {
    const { votes, quorum } = decided;
    return cli.out(`Voted: ${chosen.label}. ${votes.length} of ${quorum.approve} votes; others must agree.`);
  }
  const effect = decided.outcomes?.find(({ name }) => name === outcome)?.effect ?? chosen.effect;
  cli.out(`Decided: ${chosen.label}. ${visible(effect, 300)}`);
  for (const line of await whatCameOfIt(cli, review, outcome)) cli.out(line);
}

interface Action {
  readonly scanId: string;
  readonly action: string;
  readonly performed: boolean;
  readonly note: string | null;
}

const ACTION_OF: Readonly<Record<string, string>> = { release: 'released', delete: 'deleted', keep: 'kept' };
// The workflow goes on within a moment, unless the service is busy.
const PATIENCE_SECONDS = 3;

/** What was done with the object after the decision, or not done and why; nothing where no object is asked about. */
async function whatCameOfIt(cli: Cli, { object, scanId }: Review, outcome: string): Promise<string[]> {
  const action = ACTION_OF[outcome];
  if (action === undefined || object?.id === undefined || scanId === null) return [];
  const path = `/api/v1/objects/${encodeURIComponent(object.id)}`;
  const look = async (): Promise<Action | undefined> => {
    const { actions } = await cli.client.call<{ readonly actions: readonly Action[] }>('GET', path);
    return actions.find((one) => one.action === action && one.scanId === scanId);
  };
  try {
    const done = await waitFor(cli, look, { timeoutSeconds: PATIENCE_SECONDS, what: 'action' });
    const note = done.note === null || done.note === '' ? '' : `: ${visible(done.note, 500)}`;
    return [done.performed ? `Done${note}.` : `Not ${done.action}${note}.`];
  } catch (error) {
    // The decision stands, whatever can be told of it.
    if (!(error instanceof CommandError)) throw error;
  }
  return [`What comes of it: sallyport objects show ${object.id}`];
}

const pathOf = (id: string): string => `/api/v1/reviews/${encodeURIComponent(id)}`;
const get = (cli: Cli, id: string): Promise<ReviewDetail> => cli.client.call('GET', pathOf(id));
const objectOf = ({ object }: Review): string | undefined =>
  object === null ? undefined : s3Url(object.bucket, object.key);

/** `1 of 2: Release by Alice`; nothing where one vote decides. */
function votesOf({ votes, quorum }: Review): string | null {
  if (votes.length === 0 && quorum.approve === 1) return null;
  const said = votes.map(({ label, by }) => `${label} by ${by.name}`).join(', ');
  return `${votes.length} of ${quorum.approve}${said === '' ? '' : `: ${said}`}`;
}

function shown(review: ReviewDetail): string[] {
  const { claim, decision, cancelled } = review;
  const waits = decision === null && cancelled === null;
  return [
    ...facts([
      ['title', review.title],
      ['id', review.id],
      ['queue', review.queue],
      ['state', review.state],
      ['object', objectOf(review)],
      ['version', review.object?.versionId],
      ['verdict', review.verdict],
      ['reason', review.reason],
      ['since', review.createdAt],
      ['asks', review.asks.map(({ kind, name }) => (kind === 'group' ? `group ${name}` : name)).join(', ')],
      ['due', review.dueAt],
      ['held by', claim === null ? null : `${claim.by.name} since ${claim.at}`],
      ['votes', votesOf(review)],
      [
        'decided',
        decision === null
          ? null
          : `${decision.label} by ${decision.by.name} at ${decision.at} via ${decision.via}${decision.reason === '' ? '' : `: ${decision.reason}`}`,
      ],
      ['closed', cancelled === null ? null : `at ${cancelled.at}: ${cancelled.reason}`],
      ['workflow', review.workflowId],
      ['digest', review.subjectDigest],
      ['findings', review.findingsTotal],
    ]),
    ...review.findings.map((finding) => `  ${findingText(finding)}`),
    ...gapLines(review.notCovered ?? [], review.notCoveredTotal),
    ...(waits
      ? review.outcomes.map(
          ({ name, effect, needsReason }) =>
            `sallyport review decide ${review.id} ${visible(name, 60)}${needsReason ? ' --reason TEXT' : ''}    ${visible(effect, 300)}`,
        )
      : []),
  ];
}
