import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { pino } from 'pino';
import { Clock, type Instant } from '../../src/clock.js';
import { Database } from '../../src/database/database.js';
import { RestoreHold } from '../../src/database/restore-hold.js';
import type { Task, TaskStatus } from '../../src/engine/model/execution.js';
import { WorkflowTask } from '../../src/engine/model/definition.js';
import type { JsonObject } from '../../src/engine/model/json.js';
import {
  Engine,
  type TaskResult,
  type UpdateOutcome,
  type WorkflowExecution,
} from '../../src/engine/ports.js';
import { NotFound } from '../../src/errors.js';
import type { Log } from '../../src/ops/log.js';
import { DeliveryLoop } from '../../src/outbound/delivery-loop.js';
import { OutboxBell } from '../../src/outbound/outbox-bell.js';
import type { OutboxHandler } from '../../src/outbound/outbox.js';
import { PostgresOutbox } from '../../src/outbound/postgres-outbox.js';
import type { ReviewChannel } from '../../src/reviews/channels/channel.js';
import { Kinship } from '../../src/reviews/cases/kinship.js';
import { CompleteHandler } from '../../src/reviews/complete.handler.js';
import { EvidenceSource } from '../../src/reviews/evidence.js';
import { Alerts } from '../../src/outbound/alerts.js';
import { FourEyes } from '../../src/reviews/four-eyes.js';
import { Calendars } from '../../src/reviews/calendars/calendars.service.js';
import { HumanWorker } from '../../src/reviews/human.worker.js';
import { FormTemplates } from '../../src/reviews/orkes/form-templates.js';
import { People } from '../../src/reviews/people.js';
import { ReviewWriter } from '../../src/reviews/review-writer.js';
import { ReviewSweeper } from '../../src/reviews/sweeper.js';
import { Timekeeper } from '../../src/reviews/timekeeper.js';
import type { Review } from '../../src/reviews/review.js';
import { Readers, type Reader } from '../../src/reviews/readers.js';
import { Reviewers, type ReviewerPerson } from '../../src/reviews/reviewers.js';
import { Mentions } from '../../src/reviews/comments/mentioned.js';
import { ReviewsService } from '../../src/reviews/reviews.service.js';
import { PLAIN_POLICY } from '../../src/reviews/rules/policy.js';
import type { Reviewer } from '../../src/reviews/rules/review.js';
import type { Subject } from '../../src/reviews/rules/subject.js';
import { findReview } from '../../src/reviews/sql/find-review.js';
import {
  Ledger,
  type Identified,
  type Pinned,
  type ScanContext,
  type Standing,
} from '../../src/verdicts/ledger.js';
import { ObjectBytes, type Located } from '../../src/reviews/bytes/object-bytes.js';
import {
  FindingContexts,
  type ContextQuestion,
  type FindingContextAnswer,
} from '../../src/reviews/context/finding-contexts.js';
import type { OpenedBody } from '../../src/s3/body.js';
import type { PinnedObject } from '../../src/s3/object-storage.js';
import { Accounts } from '../../src/reviews/uploader/accounts.js';
import type { Account } from '../../src/reviews/uploader/resolve.js';
import { Uploaders } from '../../src/reviews/uploader/uploaders.js';
import { testDatabase } from '../support/database.js';

/** Time that moves only when told. */
export class SetClock extends Clock {
  private readonly sleepers = new Set<{ at: Instant; wake: () => void }>();
  constructor(private time: Instant = Date.UTC(2026, 10, 23, 9, 0, 0)) {
    super();
  }
  now(): Instant {
    return this.time;
  }
  advance(milliseconds: number): void {
    this.time += milliseconds;
    for (const sleeper of this.sleepers) if (sleeper.at <= this.time) sleeper.wake();
  }
  sleepUntil(at: Instant, signal?: AbortSignal): Promise<void> {
    if (at <= this.time || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = {
        at,
        wake: () => {
          this.sleepers.delete(sleeper);
          signal?.removeEventListener('abort', sleeper.wake);
          resolve();
        },
      };
      this.sleepers.add(sleeper);
      signal?.addEventListener('abort', sleeper.wake, { once: true });
    });
  }
}

const notHere = (): Promise<never> => Promise.reject(new Error('the reviews stage does not call this'));

/** Tasks in a map, with the engine's promises about updates: the first one ends the task, later ones are told so. */
export class FakeEngine extends Engine {
  readonly tasks = new Map<string, Task>();
  readonly updates: TaskResult[] = [];
  /** Runs before an update takes effect; a test throws here to play a crash. */
  beforeUpdate: () => void = () => undefined;
  /** Runs after it took effect, before the answer. */
  afterUpdate: () => void = () => undefined;

  add(inputData: JsonObject): Task {
    const taskId = randomUUID();
    const task: Task = {
      taskId,
      workflowInstanceId: randomUUID(),
      workflowType: 'scan_upload',
      referenceTaskName: 'review',
      taskType: 'HUMAN',
      taskDefName: 'review_upload',
      status: 'IN_PROGRESS',
      workflowTask: WorkflowTask.parse({
        name: 'review_upload',
        taskReferenceName: 'review',
        type: 'HUMAN',
      }),
      inputData,
      outputData: {},
      seq: 1,
      retryCount: 0,
      retried: false,
      executed: false,
      iteration: 0,
      pollCount: 1,
      scheduledTime: 0,
      updateTime: 0,
      firstScheduledTime: 0,
      callbackAfterSeconds: 0,
      queued: false,
      dueAt: 0,
      priority: 0,
    };
    this.tasks.set(taskId, task);
    return task;
  }

  end(taskId: string, status: TaskStatus, outputData: JsonObject = {}): void {
    const task = this.tasks.get(taskId);
    if (task !== undefined) this.tasks.set(taskId, { ...task, status, outputData });
  }

  async getTask(taskId: string): Promise<Task> {
    const task = this.tasks.get(taskId);
    if (task === undefined) throw new NotFound(`No task ${taskId}.`);
    return task;
  }

  async updateTask(result: TaskResult): Promise<UpdateOutcome> {
    this.beforeUpdate();
    const task = await this.getTask(result.taskId);
    if (task.status !== 'IN_PROGRESS') return { kind: 'late', status: task.status };
    this.end(result.taskId, result.status, result.outputData ?? {});
    this.updates.push(result);
    this.afterUpdate();
    return { kind: 'applied' };
  }

  /** Who started each workflow. */
  readonly starters = new Map<string, string>();

  /** How workflows stand of which a test wants more to be seen than that they run. */
  readonly runs = new Map<string, Pick<WorkflowExecution, 'status' | 'tasks'>>();

  async get(workflowId: string): Promise<WorkflowExecution> {
    const createdBy = this.starters.get(workflowId);
    const run = this.runs.get(workflowId) ?? { status: 'RUNNING', tasks: [] };
    return { workflowId, createdBy, ...run } as unknown as WorkflowExecution;
  }

  start = notHere;
  search = notHere;
  terminate = notHere;
  pause = notHere;
  resume = notHere;
  retry = notHere;
}

class FakeLedger extends Ledger {
  readonly decisions: unknown[] = [];
  async scan(scanId: string): Promise<ScanContext> {
    throw new NotFound(`No scan ${scanId}.`);
  }
  async standing(): Promise<Standing> {
    return {};
  }
  async verdictOn(): Promise<undefined> {}
  async identified(): Promise<Identified> {
    return { kind: 'current' };
  }
  async pinVersion(): Promise<Pinned> {
    return { kind: 'pinned', versionId: 'v1' };
  }
  async recordFindings(): Promise<void> {}
  async recordExternalThreats(): Promise<number> {
    return 0;
  }
  async recordVerdict(): Promise<void> {}
  async recordAction(): Promise<void> {}
  async recordDecision(scanId: string, decision: object): Promise<void> {
    this.decisions.push({ scanId, ...decision });
  }
  async close(): Promise<void> {}
}

class GivenEvidence extends EvidenceSource {
  subject: Subject = exampleSubject();
  /** Of a later scan of the same object. */
  later: Subject | undefined;
  async ofScan(): Promise<Subject> {
    return this.subject;
  }
  async since(): Promise<Subject | undefined> {
    return this.later;
  }
}

/** Bytes in memory, where a test says that they are. */
export class GivenBytes extends ObjectBytes {
  located: Located = { kind: 'gone', why: 'No test put them there.' };
  body: readonly Buffer[] = [];
  /** Thrown instead of opening. */
  failure: Error | undefined;
  readonly opened: PinnedObject[] = [];

  hold(where: 'quarantine' | 'bucket', ...body: readonly Buffer[]): void {
    this.body = body;
    const sizeBytes = body.reduce((sum, part) => sum + part.length, 0);
    const object = { endpointId: 'embedded', bucket: 'q', key: 'k', versionId: 'v7', eTag: 'abc', sizeBytes };
    this.located = { kind: 'held', where, object, uploadedAs: 'incoming/config.zip' };
  }
  async locate(): Promise<Located> {
    return this.located;
  }
  async open(object: PinnedObject): Promise<OpenedBody> {
    this.opened.push(object);
    if (this.failure !== undefined) throw this.failure;
    const lengthBytes = this.body.reduce((sum, part) => sum + part.length, 0);
    return { body: Readable.from(this.body), lengthBytes };
  }
}

/** Answers what a test says, and keeps what it was asked. */
class GivenContexts extends FindingContexts {
  answer: FindingContextAnswer = { state: 'none', readFrom: null, detail: null, items: [] };
  readonly asked: ContextQuestion[] = [];
  async around(question: ContextQuestion): Promise<FindingContextAnswer> {
    this.asked.push(question);
    return this.answer;
  }
}

class GivenReviewers extends Reviewers {
  people: ReviewerPerson[] = [
    { personId: 'alice', name: 'Alice', email: 'alice@example.com' },
    { personId: 'bob', name: 'Bob', email: 'bob@example.com' },
  ];
  async list(): Promise<readonly ReviewerPerson[]> {
    return this.people;
  }
}

/** Everybody who decides may see, and so may those whom a test adds. */
function readersOf(reviewers: GivenReviewers): Readers & { more: Reader[] } {
  return {
    more: [],
    async list() {
      const deciders = await reviewers.list();
      return [
        ...deciders.map(({ personId, login, name, email, groups = [], queues }) => ({
          id: personId,
          login: login ?? name,
          name,
          email,
          groups,
          queues,
        })),
        ...this.more,
      ];
    },
  };
}

/** Everybody who decides has an account, and so have the strangers of a test. */
function accountsOf(reviewers: GivenReviewers): Accounts & { more: Account[] } {
  return {
    more: [],
    async list() {
      const deciders = await reviewers.list();
      return [
        ...deciders.map(({ personId, login, name, email }) => ({
          id: personId,
          login: login ?? name,
          name,
          email,
          disabled: false,
        })),
        ...this.more,
      ];
    },
  };
}

/** What a review has that nobody did anything with yet. */
export const UNTOUCHED = { policy: PLAIN_POLICY, round: 1, votes: [], excluded: [], escalated: 0 } as const;

/** A subject with one masked finding; the key is the one a test wants to see handled. */
export function exampleSubject(key = 'incoming/config.zip'): Subject {
  return {
    object: {
      objectId: '0d2f5f0e-0000-4000-8000-000000000001',
      ref: { endpointId: 'embedded', bucket: 'uploads', key, versionId: 'v1' },
      facts: { eTag: 'abc', sizeBytes: 2048, lastModified: '2026-11-23T08:00:00.000Z' },
    },
    verdict: 'secrets',
    reason: 'secrets_found',
    findings: [
      {
        kind: 'secret',
        ruleId: 'aws-access-key',
        title: 'AWS access key',
        severity: 'critical',
        confidence: 'high',
        path: `${key}!app/.env`,
        line: 3,
        excerpt: 'AWS_KEY=AKIA************',
        fingerprint: 'k1:5f0e',
      },
    ],
    findingsTotal: 1,
    fingerprints: ['k1:5f0e'],
  };
}

export const person = (id: string, more: Partial<Reviewer> = {}): Reviewer => ({
  id,
  name: id.charAt(0).toUpperCase() + id.slice(1),
  isAdmin: false,
  via: 'web',
  method: 'session',
  ...more,
});

/** The reviews stage on a real database, with everything around it in memory. */
export async function reviewsStage(
  channels: (parts: StageParts) => readonly ReviewChannel[] = () => [],
  /** Goes on with what is in the database, as after a restart; the engine is another process. */
  running?: FakeEngine,
) {
  const database = await testDatabase();
  if (running === undefined) await database.truncate();
  const db = new Database(database.url, { maxConnections: 20 });
  const clock = new SetClock();
  const bell = new OutboxBell();
  const engine = running ?? new FakeEngine();
  const ledger = new FakeLedger();
  const evidence = new GivenEvidence();
  const reviewers = new GivenReviewers();
  const log: Log = pino({ level: 'silent' });
  const outbox = new PostgresOutbox(clock, bell);
  const parts: StageParts = { db, clock, bell, reviewers, log, outbox };
  const people = new People(reviewers, db);
  const writer = new ReviewWriter(outbox, channels(parts));
  const readers = readersOf(reviewers);
  const reviews = new ReviewsService(db, clock, bell, engine, people, writer, new Mentions(readers));
  const alerts = new Alerts(outbox, { ALERT_TO: ['operators@example.com'] });
  const fourEyes = new FourEyes(db, engine);
  const accounts = accountsOf(reviewers);
  const uploaders = new Uploaders(db, clock, accounts);
  const templates = new FormTemplates(db, clock);
  const kinship = new Kinship(writer);
  const calendars = new Calendars(db, clock, writer);
  const worker = new HumanWorker(
    db,
    clock,
    bell,
    evidence,
    people,
    fourEyes,
    writer,
    alerts,
    uploaders,
    templates,
    kinship,
    calendars,
  );
  const [bytes, contexts] = [new GivenBytes(), new GivenContexts()];
  const timekeeper = new Timekeeper({ ROLES: ['engine'] }, log, db, clock, bell, people, reviews, writer);
  const complete = new CompleteHandler(db, clock, engine, ledger, writer, log);
  const sweeper = new ReviewSweeper({ ROLES: ['engine'] }, log, db, clock, reviews, evidence, kinship);
  const loops: DeliveryLoop[] = [];

  const open = async (input: JsonObject = {}): Promise<Review> => {
    const task = engine.add({
      title: 'Release or delete uploads/incoming/config.zip?',
      scanId: randomUUID(),
      verdict: 'secrets',
      reason: 'secrets_found',
      quarantine: { moved: true },
      outcomes: ['release', 'delete'],
      ...input,
    });
    const outcome = await worker.execute(task, {
      signal: new AbortController().signal,
      log: () => undefined,
    });
    if (outcome.kind !== 'parked') throw new Error(`the worker said ${outcome.kind}`);
    const review = await findReview(db, { taskId: task.taskId });
    if (review === undefined) throw new Error('no review was opened');
    return review;
  };
  const deliver = (...handlers: OutboxHandler[]): void => {
    const hold = new RestoreHold(db);
    for (const handler of handlers) {
      const loop = new DeliveryLoop(handler, {
        db,
        clock,
        bell,
        log,
        hold,
        owner: randomUUID(),
        random: () => 0,
      });
      loops.push(loop);
      loop.start();
    }
  };
  const close = async (): Promise<void> => {
    await Promise.all(loops.map((loop) => loop.stop()));
    await db.close();
  };
  return {
    ...parts,
    engine,
    ledger,
    evidence,
    accounts,
    bytes,
    contexts,
    readers,
    uploaders,
    reviews,
    writer,
    worker,
    timekeeper,
    sweeper,
    complete,
    open,
    deliver,
    close,
  };
}

export interface StageParts {
  readonly db: Database;
  readonly clock: SetClock;
  readonly bell: OutboxBell;
  readonly reviewers: GivenReviewers;
  readonly log: Log;
  readonly outbox: PostgresOutbox;
}

export type ReviewsStage = Awaited<ReturnType<typeof reviewsStage>>;
