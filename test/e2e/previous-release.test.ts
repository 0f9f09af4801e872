import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrate } from '../../src/database/migrate.js';
import { EngineOnDatabase } from '../support/engine-on-database.js';
import { chain, FunctionWorker, TESTER } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { OwnServer } from '../support/own-server.js';
import { previousRelease, Release } from '../support/previous-release.js';
import { ServiceProcess } from '../support/service-process.js';

const previous = previousRelease();
const LONG = { timeoutMs: 60_000 };

interface PolledTask {
  readonly taskId: string;
  readonly workflowInstanceId: string;
}

/** A client and a worker of the old release that never rest, and remember everything that they were told. */
class Load {
  readonly started: string[] = [];
  readonly errors: string[] = [];
  /** Calls that were answered "not now, try again", as every SDK does by itself. */
  repeated = 0;
  completed = 0;
  private isOver = false;
  private readonly loops: Promise<void>[] = [];

  constructor(private readonly url: string) {}

  begin(): void {
    this.loops.push(
      this.loop(async () => {
        // Not faster than the worker: what waits must not hide what stands still.
        await eventually(() => this.isOver || this.started.length * 2 - this.completed < 60, LONG);
        this.started.push(await this.call('POST', '/api/workflow', { name: 'old' }));
      }),
      this.loop(() => this.work()),
    );
  }

  async end(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.loops);
  }

  /** Does what waits, as a worker outside; the other step's workers are elsewhere. */
  private async work(): Promise<void> {
    const text = await this.call('GET', '/api/tasks/poll/batch/remote?workerid=w&count=20&timeout=100');
    const tasks = text === '' ? [] : (JSON.parse(text) as PolledTask[]);
    for (const { taskId, workflowInstanceId } of tasks) {
      await this.call('POST', '/api/tasks', {
        taskId,
        workflowInstanceId,
        status: 'COMPLETED',
        outputData: {},
      });
      this.completed += 1;
    }
  }

  private async loop(step: () => Promise<void>): Promise<void> {
    while (!this.isOver) {
      try {
        await step();
      } catch (error) {
        this.errors.push(String(error));
        if (this.errors.length > 100) return;
      }
    }
  }

  private async call(method: string, path: string, body?: unknown): Promise<string> {
    const response = await fetch(this.url + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.status === 503 && text.includes('"retryable":true') && ++this.repeated < 50) {
      return this.call(method, path, body);
    }
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
    return text;
  }
}

test.runIf('missing' in previous && previous.isFault)(
  'the previous release is there to be tested with',
  () => {
    expect(previous).toHaveProperty('tag');
  },
);

describe.skipIf('missing' in previous)(
  `beside ${'tag' in previous ? previous.tag : `no previous release (${previous.missing})`}`,
  { timeout: 240_000 },
  () => {
    let server: OwnServer;
    let release: Release | undefined;
    const homes: string[] = [];
    const running: { stop(): Promise<unknown> }[] = [];
    beforeAll(async () => {
      if ('missing' in previous) return;
      [server, release] = await Promise.all([
        OwnServer.start({ max_connections: '120' }),
        Release.build(previous.tag),
      ]);
    }, 240_000);
    afterAll(async () => {
      for (const one of running.splice(0).toReversed()) await one.stop();
      for (const home of homes) rmSync(home, { recursive: true, force: true });
      await server.stop();
      release?.remove();
    }, 60_000);

    const startOld = async (): Promise<ServiceProcess> => {
      const home = mkdtempSync(join(tmpdir(), 'sallyport-old-'));
      homes.push(home);
      const old = await ServiceProcess.on(
        home,
        {
          DATABASE_URL: server.url,
          SALLYPORT_KEY: Buffer.alloc(32, 7).toString('base64'),
          AUTH: 'off',
          EMBEDDED_S3: 'off',
        },
        release?.directory,
      );
      await old.start();
      running.push(old);
      return old;
    };

    test('the database is migrated while it serves, it goes on, and its nodes and ours work side by side', async () => {
      const old = await startOld();
      const workers = () => [new FunctionWorker('step', undefined, 20)];
      const register = await fetch(`${old.url}/api/metadata/workflow`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(chain('old', 'remote', 'remote', 'step')),
      });
      expect(register.status).toBe(200);
      const load = new Load(old.url);
      load.begin();
      await eventually(() => load.completed >= 100, { ...LONG, what: 'the old release at work' });

      // The new code's schema, under the old code's feet; two starters at once.
      const schemas = await Promise.all([migrate(server.url), migrate(server.url)]);
      expect(schemas.filter(({ applied }) => applied.length > 0)).toHaveLength(1);
      const atMigration = load.completed;
      await eventually(() => load.errors.length > 0 || load.completed >= atMigration + 200, {
        ...LONG,
        what: 'the old release after it',
      });
      expect(load.errors).toEqual([]);
      // What was under way at the very moment, and nothing after it.
      expect(load.repeated).toBeLessThan(20);

      // An old process that starts on the new schema serves as well.
      const late = await startOld();
      const answer = await fetch(`${late.url}/api/workflow/${load.started[0]}`);
      expect(answer.status).toBe(200);

      // One of ours joins, and does the step that no old node has a worker for.
      const node = await EngineOnDatabase.start(server.url, { homeId: 'new', workers: workers() });
      running.push(node);
      await eventually(async () => (await node.engine.get(load.started[0] ?? '')).status === 'COMPLETED', {
        ...LONG,
        what: 'the first of the old workflows',
      });
      const mine = await node.engine.start({ name: 'old' }, TESTER);
      await eventually(async () => (await node.engine.get(mine)).status === 'COMPLETED', {
        ...LONG,
        what: 'a workflow that ours started and both worked on',
      });
      await load.end();
      expect(load.errors).toEqual([]);

      // The old ones leave; what is left is finished by a client and a node of the new release alone.
      for (const one of [late, old]) expect((await one.stop()).code).toBe(0);
      const remote = await EngineOnDatabase.start(server.url, {
        homeId: 'remote',
        workers: [new FunctionWorker('remote', undefined, 20)],
      });
      running.push(remote);
      const all = [...load.started, mine];
      await eventually(
        async () => {
          const open = await server.asAdmin(`SELECT 1 FROM workflow WHERE status <> 'COMPLETED' LIMIT 1`);
          return open.length === 0;
        },
        { ...LONG, what: 'the completion of all' },
      );
      // Nothing lost, nothing twice.
      const [counts] = await server.asAdmin<{ workflows: string; tasks: string; completed: string }>(
        `SELECT (SELECT count(*) FROM workflow) AS workflows, count(*) AS tasks,
                count(*) FILTER (WHERE status = 'COMPLETED' AND retry_count = 0) AS completed FROM task`,
      );
      expect(counts).toEqual({
        workflows: String(all.length),
        tasks: String(all.length * 3),
        completed: String(all.length * 3),
      });
      expect(new Set(all).size).toBe(all.length);
    });
  },
);
