import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { run } from '../../src/cli/run.js';

const ID = '2b0c6a1e-7a0f-4c58-8d3c-0d0c5a3e9f11';
const OF_TAG = '2b0c6a1e-7a0f-4c58-8d3c-0d0c5a3e9f12';
const OUTCOMES = [
  { name: 'release', label: 'Release', effect: 'It is available again.', needsReason: true },
  { name: 'delete', label: 'Delete', effect: 'It is deleted for good.', needsReason: false },
  { name: 'keep', label: 'Keep', effect: 'It stays.', needsReason: false },
];
const POLICY = { Version: '2012-10-17', Statement: [] };
const ANSWERS: Readonly<Record<string, unknown>> = {
  [`/api/v1/reviews/${ID}`]: {
    id: ID,
    title: 'Release or delete?',
    outcomes: OUTCOMES,
    object: { bucket: 'b', key: 'k' },
    subjectDigest: 'd',
  },
  [`/api/v1/reviews/${ID}/decide`]: {},
  [`/api/v1/reviews/${OF_TAG}`]: {
    id: OF_TAG,
    scanId: 's2',
    title: 'Release or delete?',
    outcomes: [{ ...OUTCOMES[1], effect: 'It is only recorded.' }],
    object: { id: 'o', bucket: 'b', key: 'k' },
    subjectDigest: 'd',
  },
  [`/api/v1/reviews/${OF_TAG}/decide`]: {},
  '/api/v1/objects/o': {
    actions: [
      { scanId: 's2', action: 'deleted', performed: false, note: "the bucket's mode is tag: not deleted" },
      { scanId: 's1', action: 'deleted', performed: true, note: null },
    ],
  },
  '/api/v1/buckets/e/b': { endpointId: 'e', bucket: 'b' },
  '/api/v1/buckets/e/b/policy': { policy: POLICY, differs: true, limits: ['a limit'], notes: ['a note'] },
};

describe('what the command line makes of answers', () => {
  let env: Record<string, string>;
  let posted: string[];
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    if (request.method === 'POST') posted.push(path);
    response
      .writeHead(200, { 'content-type': 'application/json', 'sallyport-api': 'v1' })
      .end(JSON.stringify(ANSWERS[path]));
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    env = { SALLYPORT_URL: `http://127.0.0.1:${port}`, SALLYPORT_API_KEY: 'a:b' };
  });
  afterAll(() => server.close());
  beforeEach(() => {
    posted = [];
  });

  /** @param answer of the person at the terminal; nobody sits there without one. */
  async function say(args: readonly string[], answer?: string) {
    const said = { lines: [] as string[], notes: [] as string[], questions: [] as string[] };
    const code = await run(args, env, {
      out: (line) => void said.lines.push(line),
      note: (line) => void said.notes.push(line),
      style: { colour: false },
      ask:
        answer === undefined
          ? undefined
          : async (question) => {
              said.questions.push(question);
              return answer;
            },
    });
    return { code, ...said };
  }

  test.each(['release', 'delete'])('%s asks a second time at a terminal', async (outcome) => {
    const args = ['review', 'decide', ID, outcome, '--reason', 'r'];
    const no = await say(args, 'n');
    expect(no).toMatchObject({ code: 1, lines: ['Nothing was decided.'] });
    expect(no.questions).toEqual([
      expect.stringMatching(/^(Release|Delete) s3:\/\/b\/k\? It is .* \[y\/N\] $/),
    ]);
    expect(posted).toEqual([]);
    expect(await say(args, 'y')).toMatchObject({ code: 0 });
    expect(posted).toEqual([`/api/v1/reviews/${ID}/decide`]);
  });

  test('nobody is asked with --yes, in a script, and where the answer can be changed', async () => {
    const decide = ['review', 'decide', ID];
    for (const said of [
      await say([...decide, 'delete', '--yes'], 'n'),
      await say([...decide, 'delete']),
      await say([...decide, 'keep'], 'n'),
    ]) {
      expect(said).toMatchObject({ code: 0, questions: [] });
    }
    expect(posted).toHaveLength(3);
  });

  test('a decision is followed by what was done, or why it was not', async () => {
    const { lines } = await say(['review', 'decide', OF_TAG, 'delete', '--yes']);
    expect(lines).toEqual([
      'Decided: Delete. It is only recorded.',
      "Not deleted: the bucket's mode is tag: not deleted.",
    ]);
  });

  test('a reason that the outcome needs is asked for before anything else', async () => {
    await expect(say(['review', 'decide', ID, 'release', '--yes'], 'y')).rejects.toThrow(/needs a reason/);
    await expect(say(['review', 'decide', ID, 'release', '--reason', ' '], 'y')).rejects.toThrow(/needs a/);
    expect(posted).toEqual([]);
  });

  test.each([[[]], [['--json']]])(
    'bucket-policy %j prints what put-bucket-policy takes',
    async (more: string[]) => {
      const { lines, notes } = await say(['bucket-policy', 'b', '--endpoint', 'e', ...more]);
      expect(JSON.parse(lines.join('\n'))).toEqual(POLICY);
      expect(notes).toEqual(['a note', 'a limit']);
    },
  );

  test('the help of bucket-policy says how it is put', async () => {
    const { lines } = await say(['bucket-policy', '--help']);
    expect(lines.join('\n')).toContain('put-bucket-policy --bucket BUCKET --policy file://policy.json');
  });
});
