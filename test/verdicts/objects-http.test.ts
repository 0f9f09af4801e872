import { beforeEach, describe, expect, it } from 'vitest';
import { headOf, httpApp } from '../intake/http-app.js';
import { awsMessage, intakeParts } from '../intake/intake-parts.js';
import { coverageOf } from '../../src/reports/arithmetic.js';
import { ObjectStory } from '../../src/verdicts/object-story.js';
import { ObjectPage } from '../../src/verdicts/object-view.js';
import { coverage } from '../../src/verdicts/verdicts.queries.js';
import { uploadsNotClean } from '../../src/reports/sections/coverage.js';

const parts = await intakeParts();
const { server } = await httpApp(parts, { head: () => Promise.resolve(headOf()) });
const { intake, ledger, test, clock, database } = parts;
const webhook = { kind: 'webhook' } as const;

const get = async (url: string) => {
  const answer = await server.inject({ method: 'GET', url, headers: { host: 'localhost' } });
  return { status: answer.statusCode, body: JSON.parse(answer.body) as Record<string, unknown> };
};
const list = async (query: string): Promise<ObjectPage> => {
  const { status, body } = await get(`/api/v1/objects?${query}`);
  expect(status).toBe(200);
  return ObjectPage.parse(body);
};
const scanOf = async (key: string) =>
  (
    await test.query<{ id: string }>(
      'SELECT s.id FROM scan s JOIN object_version o ON o.id = s.object_id WHERE o.key = $1',
      [key],
    )
  )[0]?.id ?? '';

beforeEach(async () => {
  await test.truncate();
  for (let index = 0; index < 5; index += 1) {
    clock.advance(1000);
    await intake.accept(awsMessage({ key: `dir/k${index}`, versionId: 'v', size: 3 }), webhook);
  }
  await intake.accept(awsMessage({ bucket: 'plain', key: '100%_x', eTag: 'e', sequencer: 'A' }), webhook);
  await ledger.recordVerdict(await scanOf('dir/k1'), {
    verdict: 'secrets',
    reason: 'secrets_found',
    engines: [{ name: 'secrets', version: '1' }],
    bytesScanned: 3,
    bytesTotal: 3,
    sha256: 'ab',
    notCovered: [],
    workflowId: 'w',
  });
});

describe('GET /api/v1/objects', () => {
  it('lists what was seen last first, a page at a time, each once', async () => {
    const seen: string[] = [];
    let cursor = '';
    for (let page = 0; page < 3; page += 1) {
      const { items, nextCursor } = await list(`limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...items.map((item) => item.key));
      cursor = nextCursor ?? '';
    }
    expect(cursor).toBe('');
    expect(seen.slice(2)).toEqual(['dir/k3', 'dir/k2', 'dir/k1', 'dir/k0']);
    expect(new Set(seen).size).toBe(6);
  });

  it('shows the current verdict with what stands behind it', async () => {
    const { items } = await list('verdict=secrets');
    expect(items).toMatchObject([
      {
        bucket: 'uploads',
        key: 'dir/k1',
        versionId: 'v',
        verdict: 'secrets',
        reason: 'secrets_found',
        engines: [{ name: 'secrets', version: '1' }],
        bytesScanned: 3,
        bytesTotal: 3,
        sha256: 'ab',
        sizeBytes: 3,
        uploadedAt: '2026-11-23T11:59:00.000Z',
        openReviewId: null,
      },
    ]);
  });

  it.each([
    ['bucket=plain', 1],
    ['key=dir/k2', 1],
    ['prefix=dir/', 5],
    ['prefix=100%25_', 1],
    ['prefix=100', 1],
    ['prefix=10__', 0],
    ['verdict=pending', 5],
    ['verdict=pending,secrets', 6],
    ['verdict=clean&verdict=secrets', 1],
    ['bucket=&verdict=&prefix=', 6],
    ['bucket=nowhere', 0],
    ['to=2026-11-23T00:00:00Z', 0],
    ['from=2026-11-23T00:00:00Z', 6],
  ])('narrowed by %s', async (query, count) => {
    expect((await list(query)).items).toHaveLength(count);
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=501', 'limit'],
    ['limit=x', 'limit'],
    ['cursor=nonsense', 'cursor'],
    ['cursor=MTIzOm5vLXV1aWQ', 'cursor'],
    ['verdict=fine', 'verdict'],
    ['from=yesterday', 'from'],
    ['key=%00', 'key'],
    ['key=a&key=b', 'key'],
  ])('refuses %s', async (query, path) => {
    expect(await get(`/api/v1/objects?${query}`)).toMatchObject({
      status: 400,
      body: { errors: [{ path }] },
    });
  });

  it('counts per verdict', async () => {
    expect(await get('/api/v1/objects/summary')).toEqual({
      status: 200,
      body: { total: 6, counts: { pending: 5, secrets: 1 }, released: 0 },
    });
    expect((await get('/api/v1/objects/summary?bucket=plain')).body).toEqual({
      total: 1,
      counts: { pending: 1 },
      released: 0,
    });
  });

  it('counts the findings of the scan that the verdict comes from, the certain ones apart', async () => {
    const scanId = await scanOf('dir/k1');
    await ledger.recordFindings(scanId, 'secrets', [finding('a', 'high'), finding('b', 'medium')], 2);
    await ledger.recordFindings(await scanOf('dir/k0'), 'secrets', [finding('c', 'low')], 1);
    const { items } = await list('prefix=dir/');
    expect(items.map(({ key, findingCounts }) => [key, findingCounts])).toContainEqual([
      'dir/k1',
      { certain: 1, uncertain: 1, accepted: 0 },
    ]);
    await test.query(
      `INSERT INTO finding (scan_id, object_id, kind, rule_id, title, severity, confidence, path, fingerprint, source)
       SELECT id, object_id, 'malware', 'x', 'X', 'high', 'high', '', 'x', 'outside' FROM scan WHERE id = $1`,
      [scanId],
    );
    const withOthers = (await list('key=dir/k1')).items[0];
    expect(withOthers).toMatchObject({
      findingsTotal: 3,
      findingCounts: { certain: 2, uncertain: 1, accepted: 0 },
    });
    await test.query(`UPDATE finding SET accepted = true WHERE scan_id = $1 AND rule_id IN ('a', 'b')`, [
      scanId,
    ]);
    const answered = (await list('key=dir/k1')).items[0];
    expect(answered).toMatchObject({
      findingsTotal: 3,
      findingCounts: { certain: 1, uncertain: 0, accepted: 2 },
    });
    // Found, and not judged yet.
    expect(items.find(({ key }) => key === 'dir/k0')?.findingCounts).toEqual({
      certain: 0,
      uncertain: 0,
      accepted: 0,
    });
  });
});

const finding = (ruleId: string, confidence: 'high' | 'medium' | 'low') =>
  ({
    kind: 'secret',
    ruleId,
    title: ruleId,
    severity: 'high',
    confidence,
    path: '',
    excerpt: 'x',
    fingerprint: ruleId,
  }) as const;

/** Writes a version as a release of what `scanId` scanned does, and lets its event come in. */
async function released(scanId: string, key: string): Promise<void> {
  await test.query(
    `INSERT INTO released_object (scan_id, endpoint_id, bucket, key, version_id, etag, sha256, is_written, review_id,
       decided_by, created_at)
     SELECT s.id::text, o.endpoint_id, o.bucket, o.key, 'copy', 'e', 'ab', true, $2, 'apikey:k', $3
       FROM scan s JOIN object_version o ON o.id = s.object_id WHERE s.id = $1`,
    [scanId, '00000000-0000-4000-8000-0000000000aa', clock.now()],
  );
  await intake.accept(awsMessage({ key, versionId: 'copy', size: 3 }), webhook);
}

describe('the copy that a release wrote', () => {
  it('names what had been scanned and the review, and is counted apart from uploads', async () => {
    const scanId = await scanOf('dir/k1');
    await released(scanId, 'dir/k1');
    const { items } = await list('key=dir/k1&verdict=skipped');
    const story = ObjectStory.parse((await get(`/api/v1/objects/${items[0]?.id ?? ''}`)).body);
    expect(story).toMatchObject({
      verdict: 'skipped',
      reason: 'released_by_review',
      releasedFrom: {
        objectId: (await ledger.scan(scanId)).objectId,
        scanId,
        reviewId: '00000000-0000-4000-8000-0000000000aa',
        decidedBy: 'apikey:k',
        deciderName: null,
      },
    });
    expect((await get('/api/v1/objects/summary')).body).toEqual({
      total: 7,
      counts: { pending: 5, secrets: 1, skipped: 1 },
      released: 1,
    });
    expect((await get('/api/v1/objects/summary?bucket=plain')).body).toMatchObject({ released: 0 });
    // The report counts as the summary does, from intake's side and from the verdicts'.
    const counted = await coverage(database, 0, clock.now() + 1);
    expect(counted).toMatchObject({
      uploaded: 6,
      copies: { opened: 1, accountedFor: 1 },
      folded: 0,
      verdicts: { pending: 5, secrets: 1 },
    });
    expect(coverageOf(counted.uploaded, counted.verdicts, counted.copies).addsUp).toBe(true);
    const notClean = await uploadsNotClean({ tx: database, from: 0, to: clock.now() + 1 });
    expect(notClean.total).toBe(6);
    expect(notClean.rows.map(({ verdict }) => verdict)).not.toContain('skipped');
  });
});

describe('GET /api/v1/objects/{id}', () => {
  it('tells the whole story', async () => {
    const scanId = await scanOf('dir/k1');
    await ledger.recordFindings(
      scanId,
      'secrets',
      [
        {
          kind: 'secret',
          ruleId: 'r',
          title: 't',
          severity: 'high',
          confidence: 'high',
          path: '',
          excerpt: 'AKIA****',
          fingerprint: 'f',
        },
      ],
      1,
    );
    const at = clock.now();
    await ledger.recordAction(scanId, 't', { action: 'quarantined', performed: true, at });
    await ledger.recordDecision(scanId, {
      reviewId: 'r1',
      outcome: 'delete',
      by: 'user:alice',
      at,
      reason: 'bad',
    });
    const { objectId } = await ledger.scan(scanId);
    const story = ObjectStory.parse((await get(`/api/v1/objects/${objectId}`)).body);
    expect(story).toMatchObject({
      id: objectId,
      decision: 'delete',
      action: 'quarantined',
      findingsTotal: 1,
      scans: [{ id: scanId, generation: 1, secretsTotal: 1, rule: 'every_upload' }],
      verdicts: [{ verdict: 'secrets', reason: 'secrets_found', bytesScanned: 3 }],
      findings: [{ ruleId: 'r', excerpt: 'AKIA****' }],
      actions: [{ action: 'quarantined', performed: true }],
      decisions: [{ outcome: 'delete', decidedBy: 'user:alice', deciderName: null }],
      releasedFrom: null,
    });
  });

  it('knows no others', async () => {
    expect((await get('/api/v1/objects/00000000-0000-4000-8000-000000000000')).status).toBe(404);
    expect((await get('/api/v1/objects/nonsense')).status).toBe(400);
    expect((await get("/api/v1/objects/%00'")).status).toBe(400);
  });
});
