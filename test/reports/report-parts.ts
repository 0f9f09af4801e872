import { randomBytes, randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { Directory } from '../../src/access/directory.js';
import { Keyring } from '../../src/access/keyring.js';
import { AuditPlaces } from '../../src/audit/anchors/places.js';
import { AuditCheckpoints } from '../../src/audit/chain/checkpoints.js';
import { AuditSequencer } from '../../src/audit/chain/sequencer.js';
import { readConfig, type Config } from '../../src/config.js';
import { Database } from '../../src/database/database.js';
import { RestoreHold } from '../../src/database/restore-hold.js';
import { parseWorkflowDef } from '../../src/engine/decider/parse-definition.js';
import { PostgresDefinitionStore } from '../../src/engine/postgres/postgres-definition-store.js';
import { PostgresExecutionStore } from '../../src/engine/postgres/postgres-execution-store.js';
import { OutboxBell } from '../../src/outbound/outbox-bell.js';
import { PostgresOutbox } from '../../src/outbound/postgres-outbox.js';
import { ReportBundles } from '../../src/reports/bundle/report-bundles.js';
import { ReportClock } from '../../src/reports/report-clock.js';
import { ReportMailer } from '../../src/reports/report-mailer.js';
import { ReportMaker } from '../../src/reports/report-maker.js';
import { ReportsService } from '../../src/reports/reports.service.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { chain, startEngine, stopEngine, TESTER, type TestEngine } from '../support/engine.js';

export const DAY = 86_400_000;
/** Of 2026-W10. */
export const MONDAY = Date.parse('2026-03-02T00:00:00Z');

/** What makes reports, on this file's own database; nobody works on their workflows. */
export class ReportTest {
  test!: TestDatabase;
  db!: Database;
  clock!: FakeClock;
  engine!: TestEngine;
  private keyring!: Keyring;

  constructor() {
    beforeAll(async () => {
      this.test = await testDatabase();
      this.db = new Database(this.test.url, { maxConnections: 12 });
      this.keyring = await Keyring.open(this.db, randomBytes(32), new FakeClock(MONDAY));
    });
    afterAll(() => this.db.close());
    beforeEach(async () => {
      await this.test.truncate();
      this.clock = new FakeClock(MONDAY);
      this.engine = await startEngine(
        {
          executions: new PostgresExecutionStore(this.db),
          definitions: new PostgresDefinitionStore(this.db),
        },
        { clock: this.clock },
      );
      await this.defineWorkflow();
      return () => stopEngine(this.engine);
    });
  }

  defineWorkflow(): Promise<void> {
    return this.engine.definitions.registerWorkflow(
      parseWorkflowDef(chain('weekly_audit_report', 'nobody')),
      { overwrite: true },
      TESTER,
    );
  }

  config(settings: Readonly<Record<string, string>> = {}): Config {
    return readConfig({ ORG_NAME: 'Example', ...settings });
  }

  reports(settings?: Readonly<Record<string, string>>): ReportsService {
    return new ReportsService(this.config(settings), this.db, this.engine.engine, this.clock);
  }

  get checkpoints(): AuditCheckpoints {
    const places = new AuditPlaces({
      AUDIT_BUCKET: undefined,
      AUDIT_TO: [],
      REPORT_TO: [],
      embeddedS3: false,
    });
    return new AuditCheckpoints(this.db, this.clock, this.keyring, this.outbox, places);
  }

  get sequencer(): AuditSequencer {
    return new AuditSequencer(pino({ level: 'silent' }), this.db, this.clock, this.checkpoints);
  }

  private get outbox(): PostgresOutbox {
    return new PostgresOutbox(this.clock, new OutboxBell());
  }

  maker(settings?: Readonly<Record<string, string>>): ReportMaker {
    const bundles = new ReportBundles(this.checkpoints);
    return new ReportMaker(this.config(settings), this.db, this.clock, this.reports(settings), bundles);
  }

  mailer(settings?: Readonly<Record<string, string>>): ReportMailer {
    return new ReportMailer(
      this.config(settings),
      this.reports(),
      this.maker(),
      new Directory(this.db),
      this.outbox,
      this.db,
      this.clock,
    );
  }

  /** As a process would have one; each call is another process. */
  reportClock(settings?: Readonly<Record<string, string>>): ReportClock {
    const log = pino({ level: 'silent' });
    const hold = new RestoreHold(this.db);
    return new ReportClock(this.config(settings), log, this.clock, this.db, this.reports(settings), hold);
  }

  /** Ends a report's workflow, as it ends when somebody read it. */
  endWorkflow(id: string): Promise<void> {
    return this.engine.engine.terminate(id, 'the test is done with it', TESTER);
  }

  /** An upload that an event told of at a moment, with its verdict a second later. */
  async upload(at: number, verdict = 'clean'): Promise<void> {
    const id = randomUUID();
    await this.test.query(
      `INSERT INTO object_version (id, endpoint_id, bucket, key, version_id, identity, identity_fixed, origin, is_latest,
         uploaded_at, first_seen_at, verdict, verdict_generation, generation, size_bytes)
       VALUES ($1::uuid, 'embedded', 'uploads', $4, 'v', $4, true, 'event', true, $2::bigint, $2::bigint, $3, 1, 1, 10)`,
      [id, at, verdict, `k-${id}`],
    );
    await this.test.query(
      `INSERT INTO intake_event (event_key, endpoint_id, bucket, key, version_id, kind, event_name, source_kind, received_at,
         object_id, opened_object, effect)
       VALUES ($3, 'embedded', 'uploads', $3, 'v', 'created', 'ObjectCreated:Put', 'http', $2, $1::uuid, true, 'scan')`,
      [id, at, `k-${id}`],
    );
    if (verdict === 'pending') return;
    await this.test.query(
      `INSERT INTO verdict (object_id, generation, verdict, reason, engines, bytes_scanned, bytes_total, not_covered, at)
       VALUES ($1, 1, $2, 'looked at', '[]', 10, 10, '[]', $3)`,
      [id, verdict, at + 1000],
    );
  }
}
