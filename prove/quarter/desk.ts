import { Engine } from '../../src/engine/ports.js';
import { Metadata } from '../../src/engine/ports.js';
import { AppError, Forbidden } from '../../src/errors.js';
import { Exceptions } from '../../src/findings/exceptions/exceptions.service.js';
import { ReviewDesk } from '../../src/reviews/review-desk.js';
import type { ReviewCommand } from '../../src/reviews/rules/command.js';
import type { Policy } from '../../src/reviews/rules/policy.js';
import { insertAbsence } from '../../src/reviews/sql/absences.js';
import { randomUUID } from 'node:crypto';
import type { FakeClock } from '../../test/support/clock.js';
import { principalOf, type Member } from './people.js';
import type { Guilty } from './scanner.js';
import type { World } from './world.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const AT_ONCE = 8;
export const PROVER = { kind: 'system', id: 'proof' } as const;

const QUESTION = 'quarter_review';
/** A question about an upload, with everything that one may ask of it given from outside. */
const DEFINITION = {
  name: QUESTION,
  version: 1,
  schemaVersion: 2,
  ownerEmail: 'proof@example.com',
  tasks: [
    {
      name: 'review_upload',
      taskReferenceName: 'review',
      type: 'HUMAN',
      inputParameters: Object.fromEntries(
        [
          'title scanId verdict reason quarantine outcomes queue assign quorum requester fourEyes deadline reminders',
          'escalation onExpire claimTimeout',
        ]
          .join(' ')
          .split(' ')
          .map((name) => [name, `\${workflow.input.${name}}`])
          .concat([['joinsCase', '${workflow.input.joinsCase}']]),
      ),
    },
  ],
  outputParameters: { outcome: '${review.output.outcome}' },
};

interface OpenReview {
  readonly id: string;
  readonly queue: string;
  readonly state: string;
  readonly outcomes: readonly string[];
  readonly claimed_by: string | null;
  readonly created_at: number;
  readonly policy: Policy;
  readonly excluded: readonly { readonly id: string }[];
}

/** People at their reviews: they claim, decide, hand on, hold, ask, leave out, and try what they must not. */
export class Desk {
  readonly acts: Record<string, number> = {};
  readonly refusals: Record<string, number> = {};
  readonly problems: string[] = [];
  opened = 0;
  private readonly guilty = new Map<string, Guilty>();

  constructor(
    private readonly random: () => number,
    private readonly clock: FakeClock,
    readonly members: readonly Member[],
  ) {}

  async register(world: World): Promise<void> {
    await world.get(Metadata).registerWorkflow(DEFINITION as never, { overwrite: true }, PROVER);
  }

  /** Asks about what was found. */
  async ask(world: World, guilty: readonly Guilty[]): Promise<void> {
    const engine = world.get(Engine);
    await together(guilty, async (one) => {
      this.guilty.set(one.scanId, one);
      const input = { title: `Release ${one.stored.bucket}/${one.stored.key}?`, ...this.question(one) };
      await engine.start({ name: QUESTION, input }, PROVER);
      this.opened += 1;
    });
  }

  private question({ scanId, verdict, reason }: Guilty): object {
    const { random } = this;
    const group = pick(['security', 'security', 'platform'], random);
    const isShared = verdict === 'infected' && random() < 0.3;
    const requester = random() < 0.15 ? pick(this.in(group), random) : undefined;
    const deadline = pick(['2d', '5d', '14d', null], random);
    const onExpire = pick(['REJECT', 'REJECT', 'REJECT', 'APPROVE', 'ESCALATE', 'LEAVE_OPEN'], random);
    return {
      scanId,
      verdict,
      reason,
      quarantine: { moved: true },
      outcomes: ['release', 'delete', 'keep'],
      queue: verdict === 'infected' ? 'malware' : 'uploads',
      assign: {
        to: [`group:${group}`],
        strategy: pick(['pool', 'pool', 'round_robin', 'least_loaded'], random),
      },
      quorum: isShared ? { approve: 2 } : null,
      requester: requester?.name ?? null,
      fourEyes: requester === undefined ? null : ['requester'],
      deadline,
      reminders: ['1d'],
      escalation: deadline === '14d' ? [{ after: '4d', to: ['group:leads'], loops: 2, every: '2d' }] : null,
      onExpire: deadline === null ? null : onExpire,
      claimTimeout: random() < 0.1 ? '1d' : null,
      joinsCase: false,
    };
  }

  /** One round: each open review is looked at with this probability. */
  async work(world: World, zeal: number): Promise<void> {
    const rows = await world.database.query<OpenReview>(
      `SELECT id, queue, state, outcomes, claimed_by, created_at::float8, policy, excluded FROM review
        WHERE state IN ('OPEN', 'ASSIGNED', 'CLAIMED', 'ON_HOLD', 'INFO_REQUESTED') ORDER BY id`,
    );
    const chosen = rows.filter(() => this.random() < zeal);
    for (let at = 0; at < chosen.length; at += 40) {
      this.clock.advance(30_000 + Math.floor(this.random() * 120_000));
      await together(chosen.slice(at, at + 40), (review) => this.touch(world, review));
    }
  }

  private async touch(world: World, review: OpenReview): Promise<void> {
    const { random } = this;
    const now = this.clock.now();
    if (review.queue === 'reports') {
      await this.act(world, review, this.named('auditor-1'), {
        kind: 'decide',
        outcome: 'sign',
        reason: 'read',
      });
      return;
    }
    const [excluded] = review.excluded;
    if (excluded !== undefined && random() < 0.3) await this.trySelfApproval(world, review, excluded.id);
    const who = this.eligible(review);
    if (who === undefined) return;
    const draw = random();
    const act = (command: ReviewCommand, by = who) => this.act(world, review, by, command);
    if (review.state === 'INFO_REQUESTED') return act({ kind: 'answer', text: 'It is a sample.' });
    if (draw < 0.12) return act({ kind: 'claim' });
    if (draw < 0.15)
      return act({ kind: 'reassign', to: pick(this.in('platform'), random), reason: 'knows it' });
    if (draw < 0.17) return act({ kind: 'hold', until: now + DAY, reason: 'waits for the uploader' });
    if (draw < 0.185) return act({ kind: 'ask', question: 'What is this?' });
    if (draw < 0.2) return act({ kind: 'skip', reason: 'a test upload' });
    if (draw < 0.21) return act({ kind: 'postpone', dueAt: now + 7 * DAY, reason: 'more time' });
    if (draw < 0.22) return act({ kind: 'release' });
    if (draw < 0.23) return act({ kind: 'escalate', step: 0, reason: 'beyond me' });
    if (draw < 0.24) return act(this.decision(review), this.named('admin-1'));
    if (draw < 0.26 && review.policy.quorum.approve > 1) return act({ kind: 'withdraw' });
    return act(this.decision(review));
  }

  private decision({ outcomes }: OpenReview): ReviewCommand {
    const outcome = outcomes.includes('approve')
      ? this.random() < 0.8
        ? 'approve'
        : 'reject'
      : pick(['release', 'release', 'delete', 'delete', 'delete', 'keep'], this.random);
    const reason = outcome !== 'release' && this.random() < 0.1 ? '' : 'looked at, and known';
    return { kind: 'decide', outcome, reason };
  }

  /** Whom four eyes keep out says yes: it must be refused. */
  private async trySelfApproval(world: World, review: OpenReview, id: string): Promise<void> {
    const who = this.members.find((one) => one.id === id);
    if (who === undefined || review.outcomes.includes('approve')) return;
    const command: ReviewCommand = { kind: 'decide', outcome: 'release', reason: 'it is mine' };
    try {
      await world.get(ReviewDesk).act(review.id, command, principalOf(who));
      this.problems.push(`${review.id}: ${who.name} approved what they asked for`);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.count(this.refusals, error instanceof Forbidden ? 'self-approval' : `self-approval ${error.code}`);
    }
  }

  private async act(world: World, { id }: OpenReview, who: Member, command: ReviewCommand): Promise<void> {
    try {
      await world.get(ReviewDesk).act(id, command, principalOf(who));
      this.count(this.acts, command.kind);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.count(this.refusals, `${command.kind} ${error.code}`);
    }
  }

  /** Asks that a finding which is open be let stand. */
  async requestException(
    world: World,
    wish: {
      kind: 'suppressed' | 'false_positive' | 'accepted_risk';
      scope: 'finding' | 'secret';
      days: number;
    },
  ): Promise<void> {
    const [finding] = await world.database.query<{ id: string }>(
      `SELECT f.id::text FROM finding f JOIN scan s ON s.id = f.scan_id
        WHERE f.kind = 'secret' AND NOT f.accepted AND s.verdict_at IS NOT NULL ORDER BY f.id DESC OFFSET $1 LIMIT 1`,
      [Math.floor(this.random() * 20)],
    );
    if (finding === undefined) return;
    const who = pick(this.in('security'), this.random);
    await world.get(Exceptions).request(
      {
        kind: wish.kind,
        wanted: { scope: wish.scope, findingId: finding.id },
        reason: 'known, and of no use to anybody',
        expiresAt: this.clock.now() + wish.days * DAY,
      },
      { id: who.id, name: who.name, actor: `user:${who.id}` },
    );
  }

  /** One that is in force is to go on; another one ends early. */
  async changeExceptions(world: World): Promise<void> {
    const rows = await world.database.query<{ id: string; expires_at: number }>(
      `SELECT id, expires_at::float8 FROM finding_exception e WHERE state = 'IN_FORCE'
         AND NOT EXISTS (SELECT FROM finding_exception x WHERE x.extends = e.id) ORDER BY requested_at LIMIT 3`,
    );
    const who = pick(this.in('platform'), this.random);
    const acting = { id: who.id, name: who.name, actor: `user:${who.id}` };
    const [first, , third] = rows;
    if (first !== undefined)
      await world
        .get(Exceptions)
        .extend(first.id, { expiresAt: first.expires_at + 20 * DAY, reason: 'still so' }, acting);
    if (third !== undefined) await world.get(Exceptions).withdraw(third.id, 'no longer needed', acting);
  }

  async sendAway(world: World, name: string, days: number, substitute: string): Promise<void> {
    const now = this.clock.now();
    const [away, instead] = [this.named(name), this.named(substitute)];
    await insertAbsence(
      world.database,
      {
        id: randomUUID(),
        person: { id: away.id, name: away.name },
        from: now,
        to: now + days * DAY,
        substitute: { id: instead.id, name: instead.name },
        note: 'away',
      },
      now,
    );
  }

  named(name: string): Member {
    const found = this.members.find((one) => one.name === name);
    if (found === undefined) throw new Error(`nobody is called ${name}`);
    return found;
  }

  guiltyOf(scanId: string): Guilty | undefined {
    return this.guilty.get(scanId);
  }

  private in(group: string): readonly Member[] {
    return this.members.filter(({ groups }) => groups.includes(group));
  }

  private eligible({ policy, excluded, claimed_by: holder, outcomes }: OpenReview): Member | undefined {
    const held = holder !== null && policy.quorum.approve === 1 && this.random() < 0.9;
    if (held) return this.members.find(({ id }) => id === holder);
    const group = policy.to.find((party) => party.kind === 'group')?.name;
    const asked =
      group === undefined ? this.in(outcomes.includes('approve') ? 'leads' : 'security') : this.in(group);
    const free = asked.filter(({ id }) => !excluded.some((one) => one.id === id));
    return free.length === 0 ? undefined : pick(free, this.random);
  }

  private count(counts: Record<string, number>, name: string): void {
    counts[name] = (counts[name] ?? 0) + 1;
  }
}

/** Several at a time. */
export async function together<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = [...items];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
    }),
  );
}

export function pick<Item>(items: readonly Item[], random: () => number): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined && items.length === 0) throw new Error('nothing to choose from');
  return item as Item;
}
