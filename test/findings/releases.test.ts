import { createHash, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RestoreHold } from '../../src/database/restore-hold.js';
import type { Task } from '../../src/engine/model/execution.js';
import { ConfiguredBuckets } from '../../src/s3/buckets.js';
import type { PinnedObject } from '../../src/s3/object-storage.js';
import { KeepObjectWorker } from '../../src/tasks/object/keep-object.worker.js';
import { ObjectLocks } from '../../src/tasks/object/object-locks.js';
import { Quarantine } from '../../src/tasks/object/quarantine.js';
import { QuarantineObjectWorker } from '../../src/tasks/object/quarantine-object.worker.js';
import { ReleaseObjectWorker } from '../../src/tasks/object/release-object.worker.js';
import { Tagger } from '../../src/tasks/object/tagger.js';
import { TagObjectWorker } from '../../src/tasks/object/tag-object.worker.js';
import { awsMessage } from '../intake/intake-parts.js';
import { startTestS3, type TestS3 } from '../s3/endpoint.js';
import { eventually } from '../support/eventually.js';
import { acting, alice, bob, DAY, findingsStage, type FindingsStage, type StageParts } from './stage.js';

const carol = acting('00000000-0000-4000-8000-00000000000c', 'Carol');
const dave = acting('00000000-0000-4000-8000-00000000000d', 'Dave');

let s3: TestS3;
let stage: FindingsStage;
let quarantine: QuarantineObjectWorker;
let place: Quarantine;
let releaseWorker: ReleaseObjectWorker;
let uploads = 0;

const workers = ({ db, clock, ledger, buckets }: StageParts) => {
  const { storage, config } = s3;
  const hold = new RestoreHold(db);
  const tagger = new Tagger(storage, new ObjectLocks(db, clock), ledger, clock, config);
  place = new Quarantine(storage, db, clock);
  quarantine = new QuarantineObjectWorker(
    hold,
    ledger,
    new ConfiguredBuckets(config),
    storage,
    place,
    tagger,
    clock,
    config,
  );
  releaseWorker = new ReleaseObjectWorker(hold, ledger, storage, place, clock, config);
  return [
    releaseWorker,
    new KeepObjectWorker(ledger, place, clock),
    new TagObjectWorker(hold, ledger, buckets, storage, tagger, clock),
  ];
};

beforeAll(async () => {
  s3 = await startTestS3();
});
afterAll(() => s3.close());
beforeEach(async () => {
  stage = await findingsStage({}, workers);
  await stage.db.query(
    `INSERT INTO uploader_identity (id, principal, kind, target, note, created_at, created_by)
     VALUES ($1, 'AIDAEXAMPLE', 'mail', 'uploader@example.com', '', 0, 'admin')`,
    [randomUUID()],
  );
});
afterEach(() => stage.close());

const taskOf = (inputData: Task['inputData']): Task =>
  ({ taskId: randomUUID(), inputData, retryCount: 0, pollCount: 1 }) as unknown as Task;

/** An object that was found guilty, moved, and whose scan is over. */
async function quarantined(key: string, body = 'guilty') {
  const object = await s3.put(key, body);
  uploads += 1;
  const { versionId, eTag } = object;
  await stage.intake.accept(
    awsMessage({ key, versionId: versionId!, eTag, sequencer: String(uploads).padStart(4, '0') }),
    { kind: 'webhook' },
  );
  const [scan] = await stage.db.query<{ id: string; object_id: string }>(
    `SELECT s.id, s.object_id FROM scan s JOIN object_version o ON o.id = s.object_id WHERE o.version_id = $1`,
    [versionId],
  );
  const scanId = scan!.id;
  const { lastModified, sizeBytes } = await s3.storage.head(object);
  await stage.ledger.identified(scanId, { eTag, lastModified, sizeBytes });
  await stage.ledger.recordVerdict(scanId, {
    verdict: 'infected',
    reason: 'malware_found',
    engines: [],
    bytesScanned: sizeBytes,
    bytesTotal: sizeBytes,
    sha256: createHash('sha256').update(body).digest('hex'),
    notCovered: [],
    workflowId: 'w',
  });
  await quarantine.execute(taskOf({ scanId, verdict: 'infected' }));
  expect((await place.find(scanId))?.state).toBe('moved');
  await stage.ledger.close(scanId);
  return { scanId, objectId: scan!.object_id, object };
}

/** Whatever version stands at its key now. */
const current = ({ endpointId, bucket, key }: PinnedObject) => ({ endpointId, bucket, key });
const bytesAt = async (object: PinnedObject) => {
  const head = await s3.storage.head(current(object)).catch(() => undefined);
  if (head === undefined) return undefined;
  return s3.storage.digest({ ...current(object), versionId: head.versionId, eTag: head.eTag });
};
const shaOf = (body: string) => createHash('sha256').update(body).digest('hex');
const lastAction = async (objectId: string) =>
  (
    await stage.db.query<{ action: string; performed: boolean; note: string | null }>(
      `SELECT action, performed, note FROM object_action WHERE object_id = $1 AND action <> 'tagged'
        ORDER BY id DESC LIMIT 1`,
      [objectId],
    )
  )[0];
/** Asked for by Alice and agreed to by Bob and Carol. */
async function agreed(objectId: string) {
  const { workflowId } = await stage.releases.ask(objectId, 'a test file', alice);
  const review = await stage.waiting('releases');
  await stage.decide(review, 'release', bob);
  await stage.decide(review, 'release', carol);
  return { workflow: await stage.ended(workflowId), review };
}

describe('a quarantined object', () => {
  it('goes back long after its scan was over when two others than who asked say so, and not before', async () => {
    const { scanId, objectId, object } = await quarantined('long ago.bin');
    stage.clock.advance(200 * DAY);
    const { workflowId } = await stage.releases.ask(objectId, 'a test file', alice);
    const review = await stage.waiting('releases');
    expect(review.title).toContain('s3://uploads/long ago.bin');
    expect(review.title).toContain('a test file');
    expect(review.subject.object).toMatchObject({ objectId });
    await expect(stage.decide(review, 'release', alice)).rejects.toThrow('four eyes');
    await stage.decide(review, 'release', bob);
    // Saying it twice is one voice.
    await stage.decide(review, 'release', bob);
    expect(await bytesAt(object)).toBeUndefined();
    await stage.decide(review, 'release', carol);
    const workflow = await stage.ended(workflowId);
    expect(workflow).toMatchObject({ status: 'COMPLETED', output: { release: 'released' } });
    expect(await bytesAt(object)).toBe(shaOf('guilty'));
    // Its verdict stays what it was, with the decision beside it.
    expect(await s3.storage.readTags(current(object))).toMatchObject({
      'sallyport-verdict': 'infected',
      'sallyport-decision': 'released',
    });
    expect(await place.find(scanId)).toMatchObject({ state: 'released' });
    expect(await lastAction(objectId)).toMatchObject({ action: 'released', performed: true });
    expect(await stage.db.query(`SELECT outcome, review_id::text AS id FROM object_decision`)).toEqual([
      { outcome: 'release', id: review.id },
    ]);
    expect(await stage.audited('object.release')).toEqual(['object.release_requested', 'object.released']);
  });

  it('whose uploader nobody knows takes one voice more', async () => {
    await stage.db.query('DELETE FROM uploader_identity');
    const { objectId, object } = await quarantined('whose.bin');
    const { workflowId } = await stage.releases.ask(objectId, 'a test file', alice);
    const review = await stage.waiting('releases');
    for (const who of [bob, carol]) await stage.decide(review, 'release', who);
    expect((await stage.engine.get(workflowId)).status).toBe('RUNNING');
    await stage.decide(review, 'release', dave);
    await stage.ended(workflowId);
    expect(await bytesAt(object)).toBe(shaOf('guilty'));
  });

  it('stays when one refuses, and can be asked about again', async () => {
    const { scanId, objectId, object } = await quarantined('refused.bin');
    const { workflowId } = await stage.releases.ask(objectId, 'a test file', alice);
    await stage.decide(await stage.waiting('releases'), 'keep', bob);
    expect((await stage.ended(workflowId)).output).toMatchObject({ outcome: 'keep' });
    expect(await place.find(scanId)).toMatchObject({ state: 'moved' });
    expect(await bytesAt(object)).toBeUndefined();
    expect(await lastAction(objectId)).toMatchObject({ action: 'kept', note: 'stays in quarantine' });
    const { workflow } = await agreed(objectId);
    expect(workflow.output).toMatchObject({ release: 'released' });
  });

  it('stays when nobody says anything in time', async () => {
    const { scanId, objectId } = await quarantined('expired.bin');
    const { workflowId } = await stage.releases.ask(objectId, 'a test file', alice);
    await stage.waiting('releases');
    stage.clock.advance(8 * DAY);
    await stage.timekeeper.tick();
    expect((await stage.ended(workflowId)).output).toMatchObject({ outcome: 'expired' });
    expect(await place.find(scanId)).toMatchObject({ state: 'moved' });
  });

  it('is asked about once: the second is told who was first, and when', async () => {
    const { objectId } = await quarantined('twice.bin');
    const both = await Promise.allSettled([
      stage.releases.ask(objectId, 'a test file', alice),
      stage.releases.ask(objectId, 'a test file', bob),
    ]);
    const lost = both.filter((one) => one.status === 'rejected');
    expect(lost).toHaveLength(1);
    const by = `user:${both[0].status === 'fulfilled' ? alice.id : bob.id}`;
    const at = new Date(stage.clock.now()).toISOString();
    expect(lost[0]!.reason).toMatchObject({ status: 409, details: { by, at } });
    await stage.waiting('releases');
    await expect(stage.releases.ask(objectId, 'again', bob)).rejects.toMatchObject({ status: 409 });
    expect(await stage.audited('object.release_requested')).toHaveLength(1);
  });

  it('does not go over what was uploaded meanwhile, and goes back once that is gone, as it was said last', async () => {
    const { scanId, objectId, object } = await quarantined('overtaken.bin');
    const newer = await s3.put('overtaken.bin', 'newer');
    const first = await agreed(objectId);
    expect(first.workflow.output).toMatchObject({
      release: 'not_released',
      note: expect.stringContaining('newer upload'),
    });
    expect(await bytesAt(object)).toBe(shaOf('newer'));
    expect(await s3.storage.readTags(newer)).toEqual({});
    expect(await lastAction(objectId)).toMatchObject({ action: 'released', performed: false });
    await s3.storage.deleteVersion(newer);
    stage.clock.advance(30 * DAY);
    const second = await agreed(objectId);
    expect(second.workflow.output).toMatchObject({ release: 'released' });
    expect(await bytesAt(object)).toBe(shaOf('guilty'));
    // Its own event is told from an upload by the time and the word of the decision that counted.
    expect(
      await stage.db.query(
        'SELECT review_id, created_at > $2 AS late FROM released_object WHERE scan_id = $1',
        [scanId, Math.round(stage.clock.now() - DAY)],
      ),
    ).toEqual([{ review_id: second.review.id, late: true }]);
  });

  it('whose copy in quarantine is gone fails loudly, and the ledger says why', async () => {
    const { scanId, objectId, object } = await quarantined('lost.bin');
    const row = await place.find(scanId);
    await s3.storage.deleteVersion({ ...row!.place, versionId: row!.copy?.versionId, eTag: row!.copy!.eTag });
    const { workflow } = await agreed(objectId);
    expect(workflow.status).toBe('FAILED');
    expect(await bytesAt(object)).toBeUndefined();
    expect(await lastAction(objectId)).toMatchObject({
      action: 'released',
      performed: false,
      note: expect.stringContaining('not what was scanned'),
    });
  });

  it('that was released is released once, whatever another decision says later', async () => {
    const { scanId, objectId, object } = await quarantined('again.bin');
    const { review } = await agreed(objectId);
    await expect(stage.releases.ask(objectId, 'again', alice)).rejects.toThrow('released already');
    // The uploader replaced it since.
    await s3.put('again.bin', 'replaced');
    const outcome = await releaseWorker.execute(
      taskOf({ scanId, review: { reviewId: randomUUID(), decidedBy: 'user:x' } }),
    );
    expect(outcome).toMatchObject({
      output: { outcome: 'not_released', note: `it was released before, by the review ${review.id}` },
    });
    expect(await bytesAt(object)).toBe(shaOf('replaced'));
  });

  it('comes back in one version although two decisions release it at the same moment', async () => {
    const { scanId, object } = await quarantined('race.bin');
    const outcomes = await Promise.allSettled(
      ['a', 'b'].map((decidedBy) =>
        releaseWorker.execute(taskOf({ scanId, review: { reviewId: randomUUID(), decidedBy } })),
      ),
    );
    expect(outcomes.map(({ status }) => status)).toContain('fulfilled');
    expect(await bytesAt(object)).toBe(shaOf('guilty'));
    expect(await s3.storage.versionsOf(object)).toHaveLength(1);
    expect(await place.find(scanId)).toMatchObject({ state: 'released' });
  });

  it.each([
    ['waits for its own review', `The review`, 'review'],
    ['has a scan that is not over', 'is not over', 'scan'],
  ])('that %s is not asked about', async (_, told, why) => {
    const { scanId, objectId } = await quarantined(`${why}.bin`);
    if (why === 'scan') await stage.db.query('UPDATE scan SET closed_at = NULL WHERE id = $1', [scanId]);
    else {
      await stage.releases.ask(objectId, 'a test file', alice);
      await stage.waiting('releases');
    }
    await expect(stage.releases.ask(objectId, 'a test file', bob)).rejects.toThrow(told);
  });

  it('is one: what was never moved, and what nobody knows, is refused', async () => {
    const { scanId } = await stage.object('plain.txt', []);
    const { objectId } = await stage.ledger.scan(scanId);
    await expect(stage.releases.ask(objectId, 'r', alice)).rejects.toThrow('not in quarantine');
    await expect(stage.releases.ask(randomUUID(), 'r', alice)).rejects.toMatchObject({ status: 404 });
  });

  it('waits for its two people over a restart of whoever starts the workflow', async () => {
    const { objectId } = await quarantined('restart.bin');
    await stage.releases.ask(objectId, 'a test file', alice);
    const review = await stage.waiting('releases');
    await eventually(
      async () =>
        (await stage.db.query(`SELECT FROM outbox WHERE kind = 'findings.start' AND state = 'sent'`))[0],
    );
    // The message comes twice.
    await stage.db.query(`UPDATE outbox SET state = 'pending', due_at = 0 WHERE kind = 'findings.start'`);
    stage.bell.ring();
    await eventually(
      async () =>
        (await stage.db.query(`SELECT FROM outbox WHERE kind = 'findings.start' AND state = 'sent'`))[0],
    );
    expect(await stage.db.query(`SELECT id::text FROM review WHERE queue = 'releases'`)).toEqual([
      { id: review.id },
    ]);
  });
});
