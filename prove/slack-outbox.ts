import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../test/support/eventually.js';
import { buttonsOf, textOf, type FakeMessage } from '../test/support/slack/fake-slack.js';
import { randomFrom, readOptions, report, SIZE_AND_SEED } from './proof.js';
import { CleanUp } from './scale/clean-up.js';
import { SlackService, type ShownReview } from './slack/slack-service.js';

/*
 * The service is killed with SIGKILL around each step of what goes out to Slack: before and after a message is claimed,
 * while Slack's answer is on its way, after Slack took it and before that is written down, between the update of one copy
 * and the next, and while a lost message is looked for. Each review must be shown and locked all the same, and nothing may
 * be said twice, or at most one message, whose buttons then are those of the same review.
 */

const SIZES = { small: { kills: 2 }, full: { kills: 30 } } as const;
const SETTLE_MS = 180_000;
const ANSWER_MS = 600;

/** What was under way when the service was killed. */
const STEPS = [
  'opened',
  'post under way',
  'posted',
  'direct message under way',
  'decided',
  'update under way',
  'updated',
  'thread line under way',
  'looking for a lost message',
  'workflow went on',
] as const;
type Step = (typeof STEPS)[number];

/** For `--help`. */
export const help = SIZE_AND_SEED;

/** @returns whether it held. */
export async function prove(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  const { kills } = SIZES[options.size];
  process.stdout.write(`slack-outbox: ${kills} kills, seed ${options.seed}\n`);
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-slack-'));
  chmodSync(folder, 0o711);
  const cleanUp = new CleanUp();
  cleanUp.add(() => rmSync(folder, { recursive: true, force: true }));
  const began = performance.now();
  try {
    const run = new Run(await SlackService.start(folder, cleanUp), randomFrom(options.seed));
    const first = options.size === 'small' ? 1 : 0;
    for (let kill = 0; kill < kills; kill += 1) {
      const step = STEPS[(kill + first) % STEPS.length] ?? 'opened';
      await run.killAt(step, kill);
      process.stdout.write(`  ${kill + 1}/${kills} ${step}\n`);
    }
    const figures = await run.figures();
    const passed = figures.problems.length === 0 && figures.duplicates <= 1;
    report('slack-outbox', options, (performance.now() - began) / 1000, { kills, ...figures }, passed);
    return passed;
  } finally {
    await cleanUp.run();
  }
}

class Run {
  private readonly reviews: ShownReview[] = [];
  private readonly problems: string[] = [];
  private readonly restartMs: number[] = [];

  constructor(
    private readonly at: SlackService,
    private readonly random: () => number,
  ) {}

  /** Brings a review to a step, kills the service there, starts it anew, and sees the review through. */
  async killAt(step: Step, number: number): Promise<void> {
    const { slack } = this.at;
    let review: ShownReview | undefined;
    let workflowId: string;
    if (isAfterPosting(step)) {
      workflowId = await this.at.begin(number, true);
      review = await this.at.reviewOf(workflowId);
      await this.isShown(review);
      await this.quiet();
      const isThere = this.reach(step);
      await this.act(step, review);
      await isThere();
    } else {
      const isThere = this.reach(step);
      workflowId = await this.at.begin(number, true);
      await isThere();
    }
    await this.killed();
    slack.behave();
    if (step === 'looking for a lost message') await this.killWhileLooking();
    const began = performance.now();
    await this.at.startAgain();
    this.restartMs.push(performance.now() - began);
    review ??= await this.at.reviewOf(workflowId);
    this.reviews.push(review);
    await this.through(review);
  }

  /** The message whose answer was lost is looked for after the start; that look is cut off as well. */
  private async killWhileLooking(): Promise<void> {
    const { slack } = this.at;
    slack.script('conversations.history', { kind: 'slow', ms: ANSWER_MS });
    const before = callsOf(this.at, 'conversations.history');
    await this.at.startAgain();
    await eventually(() => callsOf(this.at, 'conversations.history') > before, {
      timeoutMs: SETTLE_MS,
      what: 'the look for the lost message',
    });
    await this.killed();
    slack.behave();
  }

  /** @returns waits until the step is under way. */
  private reach(step: Step): () => Promise<unknown> {
    const { slack } = this.at;
    const under = (method: string): (() => Promise<unknown>) => {
      const before = callsOf(this.at, method);
      // Slack does it at once, and its answer is on its way for a while.
      slack.script(method, { kind: 'slow', ms: ANSWER_MS });
      return () =>
        eventually(() => callsOf(this.at, method) > before, { timeoutMs: SETTLE_MS, what: method });
    };
    const soonAfter = (count: () => number): (() => Promise<unknown>) => {
      const before = count();
      return async () => {
        await eventually(() => count() > before, { timeoutMs: SETTLE_MS, what: step });
        await pause(this.random() * 25);
      };
    };
    const updates = (): number => slack.messages.reduce((sum, message) => sum + message.updates, 0);
    switch (step) {
      case 'post under way':
      case 'looking for a lost message':
        return under('chat.postMessage');
      case 'posted':
        return soonAfter(() => slack.messages.length);
      case 'direct message under way': {
        const told = (): number => slack.messages.filter(({ channel }) => channel === this.at.direct).length;
        const before = told();
        // Whichever of the two comes first.
        slack.script('chat.postMessage', { kind: 'slow', ms: ANSWER_MS }, { kind: 'slow', ms: ANSWER_MS });
        return () => eventually(() => told() > before, { timeoutMs: SETTLE_MS, what: step });
      }
      case 'update under way':
        return under('chat.update');
      case 'updated':
        return soonAfter(updates);
      case 'thread line under way':
        return under('chat.postMessage');
      case 'opened':
      case 'decided':
        return () => pause(this.random() * 60);
      case 'workflow went on':
        return async () => {
          await soonAfter(updates)();
          await pause(1000 + this.random() * 500);
        };
      default:
        return step satisfies never;
    }
  }

  private async act(step: Step, { id }: ShownReview): Promise<void> {
    const { service } = this.at;
    if (step === 'thread line under way')
      await service.api(`/api/v1/reviews/${id}/comment`, { method: 'POST', body: { text: 'A line.' } });
    else await this.decide(id);
  }

  private async decide(id: string): Promise<void> {
    await this.at.service.api(`/api/v1/reviews/${id}/decide`, {
      method: 'POST',
      body: { outcome: 'approve', reason: 'a proof' },
    });
  }

  private async killed(): Promise<void> {
    await this.at.service.kill();
  }

  private async isShown({ id }: ShownReview): Promise<void> {
    const places = () => [this.at.slack.channel, this.at.direct];
    await eventually(() => places().every((place) => this.at.shown(id, place).length > 0), {
      timeoutMs: SETTLE_MS,
      what: 'the review in its channel and in the direct messages',
    });
  }

  /** Shown, decided, locked, and with its line in the thread where it has one. */
  private async through(review: ShownReview): Promise<void> {
    const { id } = review;
    try {
      await this.isShown(review);
      // As whoever clicked would do on seeing an error: the same again.
      await this.decide(id);
      await eventually(async () => (await this.recorded(id)).every(isLocked), {
        timeoutMs: SETTLE_MS,
        what: 'every copy locked',
      });
      await this.quiet();
    } catch (error) {
      this.problems.push(`${id}: ${(error as Error).message}`);
    }
  }

  /** The messages that the service knows as copies. */
  private async recorded(id: string): Promise<FakeMessage[]> {
    const rows = await this.at.database.query<{ address: string; message_id: string }>(
      `SELECT address, message_id FROM review_message WHERE review_id = $1 AND channel = 'slack'`,
      [id],
    );
    const found = rows.map((row) => this.at.slack.workspace.find(row.address, row.message_id));
    if (found.length !== 2 || found.includes(undefined))
      throw new Error(`${found.length} copies are known, two are meant to be`);
    return found.filter((message) => message !== undefined);
  }

  private async quiet(): Promise<void> {
    await eventually(
      async () => {
        const [row] = await this.at.database.query<{ open: number }>(
          `SELECT count(*)::int AS open FROM outbox WHERE kind LIKE 'slack.%'
            AND state IN ('pending', 'sending', 'ambiguous') AND due_at < $1`,
          [Date.now() + 60_000],
        );
        return row?.open === 0;
      },
      { timeoutMs: SETTLE_MS, what: 'nothing waits for Slack' },
    );
  }

  async figures() {
    const { slack, database } = this.at;
    let duplicates = 0;
    for (const { id } of this.reviews)
      for (const place of [slack.channel, this.at.direct]) {
        const shown = this.at.shown(id, place);
        if (shown.length === 0) this.problems.push(`${id}: not shown in ${String(place)}`);
        duplicates += Math.max(0, shown.length - 1);
        for (const message of shown)
          if (!buttonsOf(message.blocks).every(({ value }) => String(value).startsWith(id)))
            this.problems.push(`${id}: a button of another review`);
        const lines = slack.messages.filter(
          ({ threadTs, text }) => threadTs === shown[0]?.ts && text.includes('A line.'),
        );
        duplicates += Math.max(0, lines.length - 1);
      }
    const failed = await database.query<{ kind: string; reason: string }>(
      `SELECT kind, reason FROM outbox WHERE kind LIKE 'slack.%' AND state = 'failed'`,
    );
    for (const { kind, reason } of failed) this.problems.push(`${kind} was given up: ${reason}`);
    const comments = await database.query(`SELECT 1 FROM review_event WHERE kind = 'commented'`);
    const lines = slack.messages.filter(
      ({ text, threadTs }) => threadTs !== undefined && text.includes('A line.'),
    );
    if (lines.length < comments.length) this.problems.push('a line of a thread was lost');
    return {
      reviews: this.reviews.length,
      copies: this.reviews.length * 2,
      messages: slack.messages.length,
      duplicates,
      restartMs: Math.round(
        this.restartMs.reduce((sum, ms) => sum + ms, 0) / Math.max(1, this.restartMs.length),
      ),
      problems: this.problems.slice(0, 20),
    };
  }
}

const isAfterPosting = (step: Step): boolean =>
  step !== 'post under way' &&
  step !== 'posted' &&
  step !== 'direct message under way' &&
  step !== 'looking for a lost message' &&
  step !== 'opened';

const callsOf = ({ slack }: SlackService, method: string): number =>
  slack.calls.filter((call) => call.method === method).length;

const isLocked = ({ blocks }: FakeMessage): boolean =>
  textOf(blocks).includes('decided by') && buttonsOf(blocks).every((button) => button['url'] !== undefined);
