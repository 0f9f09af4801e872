import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { BacklogBell } from '../../src/backlog/backlog-bell.js';
import { readConfig } from '../../src/config.js';
import { Database } from '../../src/database/database.js';
import { RestoreHold } from '../../src/database/restore-hold.js';
import type { Engine, TaskWorker } from '../../src/engine/ports.js';
import { PostgresDefinitionStore } from '../../src/engine/postgres/postgres-definition-store.js';
import { PostgresExecutionStore } from '../../src/engine/postgres/postgres-execution-store.js';
import { loadDefinitions } from '../../src/engine/runtime/load-definitions.js';
import { ExceptionClock } from '../../src/findings/exceptions/exception-clock.js';
import {
  GrantExceptionWorker,
  RefuseExceptionWorker,
} from '../../src/findings/exceptions/exception-workers.js';
import { Exceptions, type Acting } from '../../src/findings/exceptions/exceptions.service.js';
import { ExceptionOverHandler } from '../../src/findings/exceptions/over.handler.js';
import { ExceptionReopenHandler } from '../../src/findings/exceptions/reopen.handler.js';
import { Releases } from '../../src/findings/releases/releases.service.js';
import { Remedies } from '../../src/findings/remedies/remedies.service.js';
import { CloseRemedyWorker, OpenRemedyWorker } from '../../src/findings/remedies/remedy-workers.js';
import { Rescans } from '../../src/findings/rescans.js';
import { StartWorkflowHandler } from '../../src/findings/start-workflow.handler.js';
import { IntakeService } from '../../src/intake/intake.service.js';
import { Alerts } from '../../src/outbound/alerts.js';
import { DeliveryLoop } from '../../src/outbound/delivery-loop.js';
import { OutboxBell } from '../../src/outbound/outbox-bell.js';
import { PostgresOutbox } from '../../src/outbound/postgres-outbox.js';
import { Kinship } from '../../src/reviews/cases/kinship.js';
import { CompleteHandler } from '../../src/reviews/complete.handler.js';
import { LedgerEvidence } from '../../src/reviews/evidence.js';
import { FourEyes } from '../../src/reviews/four-eyes.js';
import { HumanWorker } from '../../src/reviews/human.worker.js';
import { People } from '../../src/reviews/people.js';
import { ReviewWriter } from '../../src/reviews/review-writer.js';
import type { Review } from '../../src/reviews/review.js';
import { Calendars } from '../../src/reviews/calendars/calendars.service.js';
import { FormTemplates } from '../../src/reviews/orkes/form-templates.js';
import { Uploaders } from '../../src/reviews/uploader/uploaders.js';
import { Reviewers } from '../../src/reviews/reviewers.js';
import { Mentions } from '../../src/reviews/comments/mentioned.js';
import { ReviewsService } from '../../src/reviews/reviews.service.js';
import { listReviews } from '../../src/reviews/sql/list-reviews.js';
import { Timekeeper } from '../../src/reviews/timekeeper.js';
import { ReviewSweeper } from '../../src/reviews/sweeper.js';
import { TriggerRules } from '../../src/triggers/trigger-rules.js';
import { Baseline } from '../../src/verdicts/baseline/baseline.service.js';
import type { Finding, VerdictRecord } from '../../src/verdicts/ledger.js';
import { PostgresLedger } from '../../src/verdicts/postgres-ledger.js';
import { ScanProgress } from '../../src/verdicts/progress.js';
import { awsMessage, TestBuckets } from '../intake/intake-parts.js';
import { person } from '../reviews/stage.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';
import { startEngine, stopEngine, type TestEngine } from '../support/engine.js';
import { eventually } from '../support/eventually.js';

export const DAY = 86_400_000;

/** People by the ids of their accounts, so that mails find them. */
export const ALICE = '00000000-0000-4000-8000-00000000000a';
export const BOB = '00000000-0000-4000-8000-00000000000b';
export const acting = (id: string, name: string): Acting => ({ id, name, actor: `user:${id}` });
export const alice = acting(ALICE, 'Alice');
export const bob = acting(BOB, 'Bob');

const people = [
  { id: ALICE, name: 'Alice', email: 'alice@example.com', groups: ['secops'] },
  { id: BOB, name: 'Bob', email: 'bob@example.com', groups: ['secops', 'leads'] },
].map((one) => ({ login: one.name, roles: [], approves: [], disabled: false, ...one }));

export const secret = (more: Partial<Finding> = {}): Finding => ({
  kind: 'secret',
  ruleId: 'aws-access-key',
  title: 'AWS access key',
  severity: 'critical',
  confidence: 'high',
  path: '',
  line: 3,
  excerpt: 'KEY=AKIA…(16 characters)',
  fingerprint: `hmac-sha256:k1:${'a'.repeat(64)}`,
  ...more,
});

/** What workers of other stages need here. */
export interface StageParts {
  readonly db: Database;
  readonly clock: FakeClock;
  readonly ledger: PostgresLedger;
  readonly buckets: TestBuckets;
}

/** What was asked to be scanned again. */
class AskedRescans extends Rescans {
  readonly asked: string[] = [];
  refuse: Error | undefined;
  async request({ bucket, key }: { bucket: string; key: string }): Promise<void> {
    if (this.refuse !== undefined) throw this.refuse;
    this.asked.push(`${bucket}/${key}`);
  }
}

/** The life of findings on a real database and the real engine, with the shipped definitions and a clock of the test. */
export async function findingsStage(
  environment: Record<string, string> = {},
  /** More workers, over the same database, clock and ledger. */
  moreWorkers: (parts: StageParts) => readonly TaskWorker[] = () => [],
) {
  const database = await testDatabase();
  await database.truncate();
  const db = new Database(database.url, { maxConnections: 20 });
  const clock = new FakeClock();
  const bell = new OutboxBell();
  const log = pino({ level: 'silent' });
  const config = readConfig({ ALERT_TO: 'operators@example.com', ...environment });
  const outbox = new PostgresOutbox(clock, bell);
  const ledger = new PostgresLedger(db, clock, new ScanProgress());
  const buckets = new TestBuckets();
  const intake = new IntakeService(db, clock, buckets, new TriggerRules(), new BacklogBell(), log);
  const reviewers: Reviewers = {
    list: async () => people.map(({ id, ...one }) => ({ personId: id, ...one })),
  };
  const rescans = new AskedRescans();
  const exceptions = new Exceptions(db, clock, outbox, bell, config);
  const exceptionClock = new ExceptionClock(
    config,
    log,
    db,
    clock,
    outbox,
    bell,
    { people: async () => people },
    exceptions,
  );
  const remedies = new Remedies(db, clock, outbox, bell, new Baseline(db, clock), config);
  // The engine comes into being with the workers, and they ask it.
  const late: { engine?: TestEngine } = {};
  const engine = new Proxy({} as Engine, {
    get: (_, name: keyof Engine) => late.engine?.engine[name].bind(late.engine.engine),
  });
  const releases = new Releases(db, clock, outbox, bell, engine);
  const roster = new People(reviewers, db);
  const writer = new ReviewWriter(outbox, []);
  const reviews = new ReviewsService(
    db,
    clock,
    bell,
    engine,
    roster,
    writer,
    new Mentions({ list: async () => [] }),
  );
  const kinship = new Kinship(writer);
  const human = new HumanWorker(
    db,
    clock,
    bell,
    new LedgerEvidence(db, ledger),
    roster,
    new FourEyes(db, engine),
    writer,
    new Alerts(outbox, config),
    new Uploaders(db, clock, { list: async () => [] }),
    new FormTemplates(db, clock),
    kinship,
    new Calendars(db, clock, writer),
  );
  const workers: TaskWorker[] = [
    human,
    new GrantExceptionWorker(exceptions),
    new RefuseExceptionWorker(exceptions),
    new OpenRemedyWorker(remedies, clock),
    new CloseRemedyWorker(remedies),
    ...moreWorkers({ db, clock, ledger, buckets }),
  ];
  late.engine = await startEngine(
    { executions: new PostgresExecutionStore(db), definitions: new PostgresDefinitionStore(db) },
    { clock, workers },
  );
  const running = late.engine;
  await loadDefinitions(running.definitions, fileURLToPath(new URL('../../workflows', import.meta.url)));
  const handlers = [
    new StartWorkflowHandler(engine),
    new ExceptionOverHandler(db, engine),
    new ExceptionReopenHandler(db, outbox, bell, rescans, log),
    new CompleteHandler(db, clock, engine, ledger, writer, log),
  ];
  const hold = new RestoreHold(db);
  const loops = handlers.map(
    (handler) =>
      new DeliveryLoop(handler, { db, clock, bell, log, hold, owner: randomUUID(), random: () => 0 }),
  );
  for (const loop of loops) loop.start();

  let versions = 0;
  /** An object that was scanned, with what was found in it. @returns the ids of its scan and findings. */
  const object = async (
    key: string,
    findings: readonly Finding[],
    {
      bucket = 'uploads',
      sha256 = 'aa',
      kind = 'secrets',
    }: { bucket?: string; sha256?: string; kind?: 'secrets' | 'malware' } = {},
  ): Promise<{ scanId: string; findings: readonly string[] }> => {
    clock.advance(1000);
    versions += 1;
    const versionId = `v${versions}`;
    await intake.accept(
      awsMessage({ bucket, key, versionId, eTag: 'e', sequencer: String(versions).padStart(4, '0') }),
      { kind: 'webhook' },
    );
    const [scan] = await db.query<{ id: string }>('SELECT id FROM scan ORDER BY requested_at DESC LIMIT 1');
    const scanId = scan?.id ?? '';
    await db.query('UPDATE scan SET started_at = $2 WHERE id = $1', [scanId, clock.now()]);
    await ledger.recordFindings(scanId, kind, findings, findings.length);
    await ledger.recordVerdict(scanId, { ...VERDICT, sha256 });
    const rows = await db.query<{ id: string }>('SELECT id FROM finding WHERE scan_id = $1 ORDER BY id', [
      scanId,
    ]);
    return { scanId, findings: rows.map(({ id }) => id) };
  };
  /** The review that waits in a queue. */
  const waiting = (queue: string): Promise<Review> =>
    eventually(
      async () =>
        (
          await listReviews(db, { queue, states: ['OPEN', 'CLAIMED', 'ASSIGNED'], order: 'due', limit: 10 })
        )[0],
      { what: `a review in ${queue}` },
    );
  const decide = async (
    review: Review,
    outcome: string,
    who: Acting,
    more: { readonly reason?: string; readonly form?: Record<string, unknown> } = {},
  ): Promise<Review> =>
    reviews.act(
      review.id,
      { kind: 'decide', outcome, reason: more.reason ?? 'looked at', ...(more.form && { form: more.form }) },
      person(who.id, { name: who.name }),
    );
  const ended = (workflowId: string) =>
    eventually(async () => {
      const workflow = await running.engine.get(workflowId).catch(() => undefined);
      return workflow !== undefined && workflow.status !== 'RUNNING' && workflow;
    });
  const mails = async (): Promise<{ to: string[]; subject: string; text: string }[]> =>
    (
      await db.query<{ payload: { to: string[]; subject: string; text: string } }>(
        `SELECT payload FROM outbox WHERE kind = 'mail' ORDER BY id`,
      )
    ).map(({ payload }) => payload);
  const audited = async (prefix: string): Promise<string[]> =>
    (
      await db.query<{ action: string }>(
        'SELECT action FROM audit_event WHERE starts_with(action, $1) ORDER BY id',
        [prefix],
      )
    ).map(({ action }) => action);
  const timekeeper = new Timekeeper({ ROLES: ['engine'] }, log, db, clock, bell, roster, reviews, writer);
  const sweeper = new ReviewSweeper(
    { ROLES: ['engine'] },
    log,
    db,
    clock,
    reviews,
    new LedgerEvidence(db, ledger),
    kinship,
  );
  return {
    db,
    clock,
    outbox,
    bell,
    config,
    ledger,
    rescans,
    exceptions,
    exceptionClock,
    remedies,
    releases,
    intake,
    baseline: new Baseline(db, clock),
    reviews,
    timekeeper,
    sweeper,
    engine: running.engine,
    object,
    waiting,
    decide,
    ended,
    mails,
    audited,
    close: async () => {
      await Promise.all(loops.map((loop) => loop.stop()));
      await stopEngine(running);
      await db.close();
    },
  };
}

const VERDICT: VerdictRecord = {
  verdict: 'secrets',
  reason: 'secrets_found',
  engines: [],
  bytesScanned: 1,
  bytesTotal: 1,
  notCovered: [],
  workflowId: 'w',
};

export type FindingsStage = Awaited<ReturnType<typeof findingsStage>>;
