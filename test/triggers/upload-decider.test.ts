import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { Dispatcher } from '../../src/backlog/dispatcher.js';
import { DECIDE_WITHIN_MS } from '../../src/backlog/sql/enqueue.js';
import type { ObjectStorage } from '../../src/s3/object-storage.js';
import { StorageError } from '../../src/s3/storage-error.js';
import { RuleSpec, rowOf } from '../../src/triggers/rule-spec.js';
import { putRule } from '../../src/triggers/sql/rule-rows.js';
import { UploadDecider } from '../../src/triggers/upload-decider.js';
import { FakeEngine } from '../backlog/fake-engine.js';
import { headOf } from '../intake/http-app.js';
import { awsMessage, intakeParts, type RecordParts } from '../intake/intake-parts.js';

const parts = await intakeParts();
const { clock, database, intake, test } = parts;
const log = pino({ level: 'silent' });
const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

/** A bucket in which every object holds the same bytes and tags, and of which every request is noted. */
class OneObject implements Pick<ObjectStorage, 'head' | 'peek' | 'readTags'> {
  bytes: Buffer | Error = Buffer.from('hello');
  tags: Record<string, string> | Error = {};
  headError: Error | undefined;
  readonly asked: string[] = [];

  async head(): Promise<ReturnType<typeof headOf>> {
    this.asked.push('head');
    if (this.headError !== undefined) throw this.headError;
    return headOf({ eTag: 'e1', sizeBytes: 77 });
  }
  async peek(): Promise<Buffer> {
    this.asked.push('peek');
    if (this.bytes instanceof Error) throw this.bytes;
    return this.bytes;
  }
  async readTags(): Promise<Record<string, string>> {
    this.asked.push('tags');
    if (this.tags instanceof Error) throw this.tags;
    return this.tags;
  }
}

let bucket: OneObject;
let decider: UploadDecider;
let engine: FakeEngine;

const addRule = (spec: Record<string, unknown>) =>
  putRule(
    database,
    rowOf(RuleSpec.parse(spec), { origin: 'api', version: 1, updated_at: 0, updated_by: 'user:alice' }),
  );
const upload = (parts_: RecordParts = {}) =>
  intake.accept(awsMessage({ key: 'a', versionId: 'v1', eTag: 'e1', sequencer: '01', ...parts_ }), {
    kind: 'webhook',
  });
const items = () =>
  test.query(
    'SELECT workflow_name, workflow_version, priority, input, decide_at, not_before::float8, last_error FROM backlog_item',
  );
const objects = () =>
  test.query(
    `SELECT o.verdict, v.reason, s.rule, s.closed_at IS NOT NULL AS closed
       FROM object_version o LEFT JOIN verdict v ON v.id = o.verdict_id LEFT JOIN scan s ON s.object_id = o.id`,
  );
const dispatch = () =>
  new Dispatcher({ database, clock, engine, bell: parts.bell, log, maxRunning: 10 }).dispatch();

beforeEach(async () => {
  await test.truncate();
  bucket = new OneObject();
  engine = new FakeEngine();
  const { rules, ledger, bell } = parts;
  decider = new UploadDecider({ database, clock, rules, storage: bucket, ledger, bell, log });
});

describe('an upload that the rules must ask about', () => {
  beforeEach(() => addRule({ name: 'no_images', effect: 'deny', contentTypes: ['image/*'] }));

  it('does not start before it was asked', async () => {
    await upload();
    expect(await dispatch()).toBe(0);
    expect(await objects()).toMatchObject([{ verdict: 'pending' }]);
    expect(await decider.turn()).toBe(1);
    expect(await dispatch()).toBe(1);
    expect(bucket.asked).toEqual(['head', 'peek']);
  });

  it('is skipped by its content, whatever it is called, with the rule in the ledger', async () => {
    bucket.bytes = png;
    await upload({ key: 'letter.txt' });
    await decider.turn();
    expect(await items()).toEqual([]);
    expect(await objects()).toEqual([
      { verdict: 'skipped', reason: 'no_images', rule: 'every_upload', closed: true },
    ]);
    expect(await dispatch()).toBe(0);
  });

  it('is skipped once, also when the process died before the item was removed', async () => {
    bucket.bytes = png;
    await upload();
    const [item] = await test.query('SELECT * FROM backlog_item');
    await decider.turn();
    const columns = Object.keys(item ?? {});
    const values = Object.values(item ?? {}).map((value) =>
      typeof value === 'object' && value !== null ? JSON.stringify(value) : value,
    );
    await test.query(
      `INSERT INTO backlog_item (${columns.join(', ')}) VALUES (${columns.map((_, n) => `$${n + 1}`).join(', ')})`,
      values,
    );
    await decider.turn();
    expect(await items()).toEqual([]);
    expect(await test.query('SELECT verdict FROM verdict')).toEqual([{ verdict: 'skipped' }]);
  });

  it.each([
    ['gone', 'NoSuchKey'],
    ['denied', 'AccessDenied'],
    ['superseded', 'PreconditionFailed'],
  ] as const)('and that is %s is left to its scan, which says so', async (outcome, code) => {
    bucket.headError = new StorageError(outcome, code, 'no');
    await upload();
    await decider.turn();
    expect(await items()).toMatchObject([{ workflow_name: 'scan_upload', decide_at: null }]);
  });

  it('waits for a bucket that is silent, says why, and is scanned in the end', async () => {
    bucket.headError = new StorageError('unreachable', 'ECONNREFUSED', 'nobody there');
    await upload();
    expect(await decider.turn()).toBe(0);
    expect(await items()).toMatchObject([{ last_error: expect.stringContaining('nobody there') as string }]);
    expect(await dispatch()).toBe(0);
    // Not asked again at once.
    await decider.turn();
    expect(bucket.asked).toEqual(['head']);
    clock.advance(DECIDE_WITHIN_MS);
    expect(await decider.turn()).toBe(1);
    expect(await dispatch()).toBe(1);
  });

  it('is scanned in doubt even when nobody decides', async () => {
    await upload();
    clock.advance(DECIDE_WITHIN_MS);
    expect(await dispatch()).toBe(1);
  });

  it('is asked once by several nodes, and again when one died on it', async () => {
    await upload();
    const { rules, ledger, bell } = parts;
    const other = new UploadDecider({ database, clock, rules, storage: bucket, ledger, bell, log });
    expect((await Promise.all([decider.turn(), other.turn()])).sort()).toEqual([0, 1]);
    await upload({ key: 'b', versionId: 'v2' });
    bucket.peek = () => new Promise(() => undefined);
    void decider.turn();
    await expect.poll(() => bucket.asked.length).toBe(3);
    expect(await other.turn()).toBe(0);
    clock.advance(60_000);
    delete (bucket as { peek?: unknown }).peek;
    expect(await other.turn()).toBe(1);
  });

  it('goes by the rules as they are when it is asked', async () => {
    await upload();
    await database.query(`DELETE FROM trigger_rule WHERE name = 'no_images'`);
    await decider.turn();
    expect(bucket.asked).toEqual([]);
    expect(await items()).toMatchObject([{ decide_at: null }]);
  });
});

describe('an upload whose workflow depends on what it holds', () => {
  it('starts the one that the rule names, with version, priority and input', async () => {
    await addRule({
      name: 'pictures',
      contentTypes: ['image/png'],
      tags: { team: 'red' },
      workflow: 'scan_picture',
      version: 3,
      priority: 77,
      input: { type: '${event.contentType}', team: '${event.tags.team}', size: '${event.sizeBytes}' },
    });
    bucket.bytes = png;
    bucket.tags = { team: 'red' };
    await upload();
    await decider.turn();
    expect(await items()).toMatchObject([
      {
        workflow_name: 'scan_picture',
        workflow_version: 3,
        priority: 77,
        input: { type: 'image/png', team: 'red', size: 77, bucket: 'uploads', key: 'a', versionId: 'v1' },
      },
    ]);
    expect(await objects()).toMatchObject([{ rule: 'pictures' }]);
    await dispatch();
    expect([...engine.started.values()]).toMatchObject([{ name: 'scan_picture', version: 3 }]);
  });

  it('keeps nothing of what a rule would have added in doubt', async () => {
    await addRule({ name: 'zip', contentTypes: ['application/zip'], workflow: 'w', input: { zip: true } });
    await upload();
    expect(await items()).toMatchObject([{ input: { zip: true } }]);
    await decider.turn();
    const [item] = await items();
    expect(item).toMatchObject({ workflow_name: 'scan_upload' });
    expect(item?.['input']).not.toHaveProperty('zip');
  });

  it('whose tags may not be read is scanned', async () => {
    await addRule({ name: 'no_red', effect: 'deny', tags: { team: 'red' }, trustTags: true });
    bucket.tags = new StorageError('denied', 'AccessDenied', 'no GetObjectTagging');
    await upload();
    await decider.turn();
    expect(await items()).toMatchObject([{ workflow_name: 'scan_upload', decide_at: null }]);
  });

  it('that trusted tags deny is skipped with the rule', async () => {
    await addRule({ name: 'no_red', effect: 'deny', tags: { team: 'red' }, trustTags: true });
    bucket.tags = { team: 'red' };
    await upload();
    await decider.turn();
    expect(await objects()).toMatchObject([{ verdict: 'skipped', reason: 'no_red' }]);
  });
});

describe('an upload', () => {
  it('that no rule asks about costs no request and waits for nothing', async () => {
    await upload();
    expect(await items()).toMatchObject([{ decide_at: null }]);
    await decider.turn();
    expect(bucket.asked).toEqual([]);
  });

  it('that no rule matches is a row that says so', async () => {
    await database.query('DELETE FROM trigger_rule');
    await upload();
    expect(await objects()).toMatchObject([{ verdict: 'skipped', reason: 'no_rule_matched' }]);
  });

  it('whose workflow is gone waits with the reason, and starts when it is there again', async () => {
    await upload();
    const { NotFound } = await import('../../src/errors.js');
    engine.failures.push(new NotFound('No such workflow found by name: scan_upload. Register it first.'));
    expect(await dispatch()).toBe(0);
    expect(await items()).toMatchObject([
      { last_error: expect.stringContaining('Register it first') as string },
    ]);
    clock.advance(2000);
    expect(await dispatch()).toBe(1);
  });
});
