import { beforeEach, describe, expect, it } from 'vitest';
import { FindingsPage } from '../../../src/verdicts/export/finding-view.js';
import {
  FindingsController,
  ObjectFindingsController,
} from '../../../src/verdicts/export/findings.controller.js';
import type { Finding, VerdictRecord } from '../../../src/verdicts/ledger.js';
import { headOf, httpApp } from '../../intake/http-app.js';
import { awsMessage, intakeParts } from '../../intake/intake-parts.js';
import { SarifShape } from './sarif-shape.js';

const parts = await intakeParts();
const { server } = await httpApp(
  parts,
  { head: () => Promise.resolve(headOf()) },
  { controllers: [FindingsController, ObjectFindingsController] },
);
const { intake, ledger, test, clock } = parts;

const get = async (url: string) => {
  const answer = await server.inject({ method: 'GET', url, headers: { host: 'localhost' } });
  const body = JSON.parse(answer.body) as Record<string, unknown>;
  return { status: answer.statusCode, type: answer.headers['content-type'], body };
};
const list = async (query = ''): Promise<FindingsPage> => {
  const { status, body } = await get(`/api/v1/findings?${query}`);
  expect(status).toBe(200);
  return FindingsPage.parse(body);
};
/** Follows the cursor to the end. */
async function all(query: string): Promise<{ rules: string[]; pages: number }> {
  const rules: string[] = [];
  for (let pages = 1, cursor = ''; ; pages += 1) {
    const { items, nextCursor } = await list(`${query}${cursor}`);
    rules.push(...items.map(({ ruleId }) => ruleId));
    if (nextCursor === undefined) return { rules, pages };
    cursor = `&cursor=${nextCursor}`;
  }
}

const finding = (ruleId: string, more: Partial<Finding> = {}): Finding => ({
  kind: 'secret',
  ruleId,
  title: 'A token',
  severity: 'high',
  confidence: 'high',
  path: '',
  line: 2,
  column: 1,
  byteOffset: 9,
  excerpt: 'T=…(9 characters)',
  fingerprint: `hmac-sha256:k1:${'a'.repeat(64)}`,
  ...more,
});
const verdict = (name: VerdictRecord['verdict']): VerdictRecord => ({
  verdict: name,
  reason: '',
  engines: [],
  bytesScanned: 1,
  bytesTotal: 1,
  notCovered: [],
  workflowId: 'w',
});

interface Seen {
  readonly bucket?: string;
  readonly judged?: VerdictRecord['verdict'] | null;
  readonly total?: number;
}

/** An object with findings; judged unless it is said otherwise. @returns its id. */
async function object(
  key: string,
  findings: readonly Finding[],
  { bucket = 'uploads', judged = 'secrets', total = 0 }: Seen = {},
): Promise<string> {
  clock.advance(1000);
  await intake.accept(awsMessage({ bucket, key, versionId: 'v', eTag: 'e', sequencer: 'A' }), {
    kind: 'webhook',
  });
  const [scan] = await test.query<{ id: string; object_id: string }>(
    'SELECT id, object_id FROM scan ORDER BY requested_at DESC LIMIT 1',
  );
  const { id: scanId = '', object_id: objectId = '' } = scan ?? {};
  await ledger.recordFindings(scanId, 'secrets', findings, Math.max(total, findings.length));
  if (judged !== null) await ledger.recordVerdict(scanId, verdict(judged));
  return objectId;
}

beforeEach(() => test.truncate());

describe('GET /api/v1/findings', () => {
  it('gives every finding once, oldest first, a page at a time', async () => {
    await object('a', [finding('r1'), finding('r2'), finding('r3')]);
    await object('b', [finding('r4'), finding('r5')]);
    expect(await all('limit=2')).toEqual({ rules: ['r1', 'r2', 'r3', 'r4', 'r5'], pages: 3 });
    expect((await list()).items[0]).toMatchObject({
      bucket: 'uploads',
      key: 'a',
      versionId: 'v',
      verdict: 'secrets',
      line: 2,
      byteOffset: 9,
      excerpt: 'T=…(9 characters)',
      accepted: false,
    });
  });

  it('looks at no more than its limit, whatever fits of it', async () => {
    for (let n = 0; n < 5; n += 1) await object(`k${n}`, [finding(`r${n}`), finding(`s${n}`)]);
    const first = await list('limit=4&prefix=k4');
    expect([first.items, typeof first.nextCursor]).toEqual([[], 'string']);
    expect(await all('limit=4&prefix=k4')).toEqual({ rules: ['r4', 's4'], pages: 3 });
  });

  it('tells only of the scan that an object is judged by', async () => {
    await object('pending', [finding('early')], { judged: null });
    await object('judged', [finding('old')]);
    expect((await all('')).rules).toEqual(['old']);
  });

  it.each([
    ['bucket=plain', ['r2']],
    ['prefix=dir/', ['r1']],
    ['prefix=%25', []],
    ['verdict=clean', ['r3']],
    ['verdict=clean,secrets', ['r1', 'r2', 'r3']],
    ['kind=malware', []],
    ['kind=secret', ['r1', 'r2', 'r3']],
    ['to=2026-11-23T00:00:00Z', []],
    ['from=2026-11-23T00:00:00Z', ['r1', 'r2', 'r3']],
  ])('narrowed by %s', async (query, rules) => {
    await object('dir/a', [finding('r1')]);
    await object('b', [finding('r2')], { bucket: 'plain' });
    await object('c', [finding('r3', { confidence: 'low' })], { judged: 'clean' });
    expect((await all(query)).rules).toEqual(rules);
  });

  it.each(['limit=0', 'limit=5001', 'format=xml', 'verdict=fine', 'cursor=x', 'kind=x', 'from=soon'])(
    'refuses %s',
    async (query) => {
      const { status, body } = await get(`/api/v1/findings?${query}`);
      expect(status).toBe(400);
      expect(body['errors']).toMatchObject([{ path: query.split('=')[0] }]);
    },
  );

  it('is SARIF where that is asked for, with the cursor in the run', async () => {
    await object('../a ?#%.env', [finding('r1', { accepted: 'revoked' }), finding('r2')]);
    const { type, body } = await get('/api/v1/findings?format=sarif&limit=1');
    expect(type).toBe('application/sarif+json; charset=utf-8');
    const [run] = SarifShape.parse(body).runs;
    expect(run.results[0]?.locations[0]?.physicalLocation.artifactLocation.uri).toBe(
      's3://uploads/..%2Fa%20%3F%23%25.env',
    );
    expect(run.results[0]?.suppressions).toHaveLength(1);
    const cursor = run.properties?.['nextCursor'] as string;
    const next = SarifShape.parse((await get(`/api/v1/findings?format=sarif&cursor=${cursor}`)).body);
    expect(next.runs[0].results.map(({ ruleId }) => ruleId)).toEqual(['r2']);
  });
});

describe('GET /api/v1/objects/{id}/findings', () => {
  it('gives those of one object, and says how many its scan counted', async () => {
    const id = await object('a', [finding('r1'), finding('r2')], { total: 5000 });
    await object('b', [finding('other')]);
    const { body } = await get(`/api/v1/objects/${id}/findings`);
    expect(FindingsPage.parse(body)).toMatchObject({
      items: [{ ruleId: 'r1' }, { ruleId: 'r2' }],
      total: 5000,
    });
    const sarif = await get(`/api/v1/objects/${id}/findings?format=sarif`);
    expect(SarifShape.parse(sarif.body).runs[0].properties).toMatchObject({ total: 5000 });
  });

  it('is empty where nothing was found, and knows no others', async () => {
    const id = await object('a', [], { judged: 'clean' });
    expect((await get(`/api/v1/objects/${id}/findings`)).body).toEqual({ items: [], total: 0 });
    expect((await get('/api/v1/objects/00000000-0000-4000-8000-000000000000/findings')).status).toBe(404);
    expect((await get('/api/v1/objects/nonsense/findings')).status).toBe(400);
  });
});
