import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandError } from '../../src/cli/command-error.js';
import { run } from '../../src/cli/run.js';
import { chain } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { streamApp, type StreamApp } from '../engine/stream/app.js';

describe('the command line against a real server', () => {
  let it: StreamApp;
  let key: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    it = await streamApp();
    key = await it.key('cli', 'author', 'operator', 'worker');
    env = { SALLYPORT_URL: it.url, SALLYPORT_API_KEY: 'cli:secret' };
    await it.call('PUT', '/api/metadata/workflow', key, [chain('two', 'fetch', 'store')]);
  });
  afterAll(() => it.close());

  interface Session {
    readonly lines: string[];
    readonly notes: string[];
    readonly code: Promise<number>;
  }

  const type = (...args: string[]): Session => {
    const lines: string[] = [];
    const notes: string[] = [];
    const output = {
      out: (line: string) => void lines.push(line),
      note: (line: string) => void notes.push(line),
      style: { colour: false },
    };
    return { lines, notes, code: run(args, env, output) };
  };
  const started = async (): Promise<string> => {
    const { lines, code } = type('start', 'two');
    expect(await code).toBe(0);
    return lines[0] ?? '';
  };
  const work = async (taskType: string, status = 'COMPLETED'): Promise<void> => {
    const [task] = await eventually(async () => {
      const tasks = (await (
        await it.call('GET', `/api/tasks/poll/batch/${taskType}?workerid=w-1&timeout=0`, key)
      ).json()) as { taskId: string; workflowInstanceId: string }[];
      return tasks.length > 0 ? tasks : undefined;
    });
    const body = { ...task, status, outputData: {}, reasonForIncompletion: 'no disk' };
    expect((await it.call('POST', '/api/tasks', key, body)).status).toBe(200);
  };
  const words = (lines: readonly string[]): string[][] =>
    lines.map((line) => line.split(/ {2,}/).slice(1, 4));

  test('start --follow prints a line per change and ends with the workflow', async () => {
    const session = type('start', 'two', '--input', '{"given":1}', '--follow');
    await eventually(() => session.lines.some((line) => line.includes('fetch_0')));
    await work('fetch');
    await eventually(() => session.lines.some((line) => line.includes('store_1')));
    await work('store');
    expect(await session.code).toBe(0);
    const changes = words(session.lines.slice(1));
    expect(changes).toContainEqual(['fetch_0', 'SCHEDULED', 'attempt 1']);
    expect(changes).toContainEqual(['fetch_0', 'COMPLETED', 'attempt 1']);
    expect(changes).toContainEqual(['store_1', 'COMPLETED', 'attempt 1']);
    expect(changes.at(-1)?.slice(0, 2)).toEqual(['two', 'COMPLETED']);
    expect(new Set(session.lines).size).toBe(session.lines.length);
  });

  test('follow ends with 1 when the workflow does not complete', async () => {
    const id = await started();
    const session = type('follow', id);
    await eventually(() => session.lines.length > 0);
    expect(await type('terminate', id, '--reason', 'enough').code).toBe(0);
    expect(await session.code).toBe(1);
    expect(session.lines.at(-1)).toContain('enough');
  });

  test('follow of one that has ended says how, and ends', async () => {
    const id = await started();
    await type('terminate', id).code;
    const session = type('follow', id);
    expect(await session.code).toBe(1);
    expect(session.lines.at(-1)).toContain('TERMINATED');
  });

  test('why, pause, resume, show and retry do what they say', async () => {
    const id = await started();
    const why = type('why', id);
    expect(await why.code).toBe(0);
    expect(why.lines).toEqual([expect.stringMatching(/^fetch_0 waits for (a worker|its turn) .*\.$/)]);
    const data = type('why', id, '--json');
    expect(await data.code).toBe(0);
    const answer = JSON.parse(data.lines.join('\n')) as { why: unknown[] };
    expect(answer).toMatchObject({ workflowId: id, status: 'RUNNING', leftOut: 0 });
    expect(answer.why).toMatchObject([{ sentence: why.lines[0], reference: 'fetch_0' }]);
    expect(await type('pause', id).code).toBe(0);
    const paused = type('why', id);
    await paused.code;
    expect(paused.lines.join('\n')).toContain('paused');
    expect(await type('resume', id).code).toBe(0);
    const shown = type('show', id);
    await shown.code;
    expect(shown.lines[0]).toMatch(/^two v1 {2}RUNNING/);
    const json = type('show', id, '--json');
    await json.code;
    expect(JSON.parse(json.lines.join('\n'))).toMatchObject({ workflowId: id, status: 'RUNNING' });
    await expect(type('retry', id).code).rejects.toThrow();
  });

  test('the documented spellings are in the group "workflow", and lists know what was started', async () => {
    const made = type('workflow', 'start', 'two', '--version', '1', '--json');
    expect(await made.code).toBe(0);
    const { workflowId } = JSON.parse(made.lines.join('\n')) as { workflowId: string };
    const got = type('--json', 'workflow', 'get', workflowId);
    await got.code;
    expect(JSON.parse(got.lines.join('\n'))).toMatchObject({ workflowId, workflowName: 'two' });
    const list = type('workflow', 'list', '--status', 'RUNNING', '--name', 'two');
    await list.code;
    expect(list.lines[0]?.split(/ {2,}/)).toEqual(['ID', 'NAME', 'STATUS', 'STARTED', 'REASON']);
    expect(list.lines.join('\n')).toContain(`${workflowId}  two v1  RUNNING`);
    const page = type('workflow', 'list', '--json', '--limit', '1');
    await page.code;
    expect(JSON.parse(page.lines.join('\n'))).toMatchObject({ items: [{ workflowName: 'two' }] });
    const ended = type('workflow', 'terminate', workflowId, '--reason', 'enough', '--json');
    await ended.code;
    expect(JSON.parse(ended.lines.join('\n'))).toMatchObject({ workflowId, done: 'Terminated.' });
  });

  test('follow --json prints one JSON document a line', async () => {
    const id = await started();
    await type('terminate', id).code;
    const session = type('workflow', 'follow', id, '--json');
    expect(await session.code).toBe(1);
    const changes = session.lines.map((line) => JSON.parse(line) as { status: string });
    expect(changes.at(-1)).toMatchObject({ workflowId: id, status: 'TERMINATED' });
  });

  test('the input may come from a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-cli-'));
    writeFileSync(join(folder, 'input.json'), '{"given": "from a file"}');
    const { lines, code } = type('start', 'two', '--input', `@${join(folder, 'input.json')}`);
    expect(await code).toBe(0);
    const answer = (await (await it.call('GET', `/api/workflow/${lines[0]}`, key)).json()) as object;
    expect(answer).toMatchObject({ input: { given: 'from a file' } });
    rmSync(folder, { recursive: true });
  });

  test.each([
    [['start', 'never-registered'], {}, /never-registered/],
    [['show', 'unknown-id'], {}, /No such workflow found by id: unknown-id/],
    [['follow', 'unknown-id'], {}, /No such workflow found by id: unknown-id/],
    [['why', 'x'], { SALLYPORT_API_KEY: 'cli:wrong' }, /The key is not accepted.*SALLYPORT_API_KEY/],
    [['why', 'x'], { SALLYPORT_API_KEY: undefined, SALLYPORT_HOME: '/nowhere' }, /Set SALLYPORT_API_KEY/],
    [['why', 'x'], { SALLYPORT_URL: 'http://127.0.0.1:1' }, /does not answer.*set SALLYPORT_URL/],
    [['follow', 'x'], { SALLYPORT_URL: 'http://127.0.0.1:1' }, /does not answer/],
  ])('%j with %j names the remedy', async (args, other, message) => {
    const output = { out: () => undefined, note: () => undefined, style: { colour: false } };
    await expect(run(args, { ...env, ...other }, output)).rejects.toThrow(message);
  });
});

describe('the command line against a service that falters', () => {
  const OURS = { 'sallyport-api': 'v1' };
  const SILENT = { out: () => undefined, note: () => undefined, style: { colour: false } };

  async function served<T>(
    answer: (request: IncomingMessage, response: ServerResponse) => void,
    use: (env: Record<string, string>) => Promise<T>,
  ): Promise<T> {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      return await use({ SALLYPORT_URL: `http://127.0.0.1:${port}`, SALLYPORT_API_KEY: 'cli:secret' });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  test('an answer that is cut in the middle is a failure of the command, which says what to do', async () => {
    const cut = (_: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(200, { ...OURS, 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"workflowId":', () => response.destroy());
    };
    for (const args of [
      ['show', 'x'],
      ['start', 'two'],
    ]) {
      const failed: unknown = await served(cut, (env) => run(args, env, SILENT)).catch((e: unknown) => e);
      expect(failed).toBeInstanceOf(CommandError);
      expect((failed as Error).message).toMatch(/was cut in the middle of the answer .* try again/);
    }
  });

  test('a reset whose workflow could not be fetched is told again', async () => {
    let fetched = 0;
    const ended = {
      workflowId: 'x',
      workflowName: 'two',
      status: 'COMPLETED',
      createTime: 1,
      updateTime: 2,
      endTime: 2,
      tasks: [],
    };
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      if (request.url?.startsWith('/api/v1/stream') === true) {
        response.writeHead(200, { ...OURS, 'content-type': 'text/event-stream' });
        // As the service: who has heard of revision 5 is told what comes after it, and here nothing does.
        if (request.headers['last-event-id'] !== 'r5') response.write('id: r5\nevent: reset\ndata: {}\n\n');
        return;
      }
      fetched += 1;
      if (fetched === 1) return void response.writeHead(503).end();
      response.writeHead(200, { ...OURS, 'content-type': 'application/json' }).end(JSON.stringify(ended));
    };
    expect(await served(answer, (env) => run(['follow', 'x'], env, SILENT))).toBe(0);
    expect(fetched).toBe(2);
  }, 15_000);
});
