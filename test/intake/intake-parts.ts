import { pino } from 'pino';
import { afterAll } from 'vitest';
import { BacklogBell } from '../../src/backlog/backlog-bell.js';
import { Database } from '../../src/database/database.js';
import { IntakeService } from '../../src/intake/intake.service.js';
import { Buckets, type BucketPolicy } from '../../src/s3/buckets.js';
import { TriggerRules } from '../../src/triggers/trigger-rules.js';
import { PostgresLedger } from '../../src/verdicts/postgres-ledger.js';
import { ScanProgress } from '../../src/verdicts/progress.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { StillClock } from '../verdicts/still-clock.js';

/** `uploads` keeps versions, `plain` does not; quarantined objects go to `quarantine`. */
export class TestBuckets extends Buckets {
  private readonly policies: readonly BucketPolicy[] = ['uploads', 'plain'].map((bucket) => ({
    endpointId: 'embedded',
    bucket,
    actionMode: 'quarantine',
    required: ['secrets', 'malware'],
    quarantineBucket: 'quarantine',
  }));

  list(): readonly BucketPolicy[] {
    return this.policies;
  }
  find(endpointId: string, bucket: string): BucketPolicy | undefined {
    return this.policies.find((policy) => policy.endpointId === endpointId && policy.bucket === bucket);
  }
  byName(bucket: string): BucketPolicy | undefined {
    return this.policies.find((policy) => policy.bucket === bucket);
  }
}

export interface IntakeParts {
  readonly test: TestDatabase;
  readonly database: Database;
  readonly clock: StillClock;
  readonly buckets: Buckets;
  readonly bell: BacklogBell;
  readonly rules: TriggerRules;
  readonly intake: IntakeService;
  readonly ledger: PostgresLedger;
  readonly progress: ScanProgress;
}

/** Intake and ledger on this file's own database. */
export async function intakeParts(): Promise<IntakeParts> {
  const test = await testDatabase();
  const database = new Database(test.url, { maxConnections: 8 });
  afterAll(() => database.close());
  const clock = new StillClock();
  const buckets = new TestBuckets();
  const bell = new BacklogBell();
  const rules = new TriggerRules();
  const progress = new ScanProgress();
  const log = pino({ level: 'silent' });
  return {
    test,
    database,
    clock,
    buckets,
    bell,
    rules,
    progress,
    intake: new IntakeService(database, clock, buckets, rules, bell, log),
    ledger: new PostgresLedger(database, clock, progress),
  };
}

export interface RecordParts {
  readonly bucket?: string;
  readonly key?: string;
  readonly versionId?: string;
  readonly eTag?: string;
  readonly size?: number;
  readonly sequencer?: string;
  readonly eventName?: string;
  readonly eventTime?: string;
}

/** One record as AWS sends it; absent parts are absent in it. */
export const awsRecord = (parts: RecordParts) => ({
  eventVersion: '2.6',
  eventSource: 'aws:s3',
  awsRegion: 'us-west-2',
  eventTime: parts.eventTime ?? '2026-11-23T11:59:00.000Z',
  eventName: parts.eventName ?? 'ObjectCreated:Put',
  userIdentity: { principalId: 'AIDAEXAMPLE' },
  s3: {
    s3SchemaVersion: '1.0',
    bucket: { name: parts.bucket ?? 'uploads', arn: `arn:aws:s3:::${parts.bucket ?? 'uploads'}` },
    object: {
      key: encodeURIComponent(parts.key ?? 'a.txt').replaceAll('%20', '+'),
      ...(parts.size !== undefined && { size: parts.size }),
      ...(parts.eTag !== undefined && { eTag: parts.eTag }),
      ...(parts.versionId !== undefined && { versionId: parts.versionId }),
      ...(parts.sequencer !== undefined && { sequencer: parts.sequencer }),
    },
  },
});

export const awsMessage = (...records: RecordParts[]) => ({ Records: records.map(awsRecord) });
