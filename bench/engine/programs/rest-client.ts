// One process that talks to our REST API with a token, as workers and callers in other languages do.
import { Pool } from 'undici';
import { closedLoop } from './loop.js';
import type { WorkOrder, WorkResult } from './messages.js';
import { serveOrders } from './serve.js';

const [url = '', keyId = '', keySecret = ''] = process.argv.slice(2);

const CONNECTIONS = 250;
const SLOTS = 50;

interface PolledTask {
  readonly workflowInstanceId: string;
  readonly taskId: string;
  readonly inputData: Readonly<Record<string, unknown>>;
}

const pool = new Pool(url, { connections: CONNECTIONS, pipelining: 1 });
const sent = { requests: 0 };
let given = 0;

const { token } = (await call('POST', '/api/token', { keyId, keySecret })) as { token: string };

/** Undefined for an answer without a body. Throws on anything that is no success. */
async function call(
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
  authorization = '',
): Promise<unknown> {
  sent.requests += 1;
  const response = await pool.request({
    method,
    path,
    headers: {
      ...(authorization === '' ? {} : { 'x-authorization': authorization }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.body.text();
  if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

async function execute(tasks: number): Promise<string> {
  const answer = await call(
    'POST',
    `/api/workflow/execute/no_op_${tasks}/1?waitForSeconds=30`,
    { input: { given: (given += 1) } },
    token,
  );
  const { workflowId, status } = answer as { workflowId: string; status: string };
  if (status !== 'COMPLETED') throw new Error(`Executed ${workflowId}, and it is ${status}`);
  return workflowId;
}

const working = { isOpen: false, total: 0, done: Promise.resolve<unknown>(undefined) };

/** As the SDKs do: polls for the free slots, and each update's answer may bring the slot's next task. */
async function runner(taskType: string, workerId: string): Promise<void> {
  const path = `/api/tasks/poll/batch/${taskType}?workerid=${workerId}&timeout=100&count=`;
  const running = new Set<Promise<void>>();
  while (working.isOpen) {
    const free = SLOTS - running.size;
    const tasks = free === 0 ? [] : ((await call('GET', path + free, undefined, token)) as PolledTask[]);
    for (const task of tasks) {
      const slot: Promise<void> = finish(task, workerId).finally(() => running.delete(slot));
      running.add(slot);
    }
    if (running.size === SLOTS) await Promise.race(running);
  }
  await Promise.all(running);
}

async function finish(first: PolledTask, workerId: string): Promise<void> {
  for (let task: PolledTask | undefined = first; task !== undefined;) {
    const { workflowInstanceId, taskId, inputData } = task;
    task = (await call(
      'POST',
      '/api/tasks/update-v2',
      { workflowInstanceId, taskId, workerId, status: 'COMPLETED', outputData: { done: inputData['given'] } },
      token,
    )) as PolledTask | undefined;
    working.total += 1;
  }
}

async function work({ taskType, runners, warmSeconds, seconds }: WorkOrder): Promise<WorkResult> {
  working.isOpen = true;
  working.done = Promise.all(
    Array.from({ length: runners }, (_, index) => runner(taskType, `bench-${index}`)),
  );
  // A runner that fails ends the measurement at once.
  await Promise.race([working.done, sleep(warmSeconds)]);
  const before = { at: performance.now(), total: working.total, requests: sent.requests };
  await Promise.race([working.done, sleep(seconds)]);
  return {
    counted: working.total - before.total,
    seconds: (performance.now() - before.at) / 1_000,
    requests: sent.requests - before.requests,
  };
}

const sleep = (seconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, seconds * 1_000));

serveOrders(
  url,
  async (order) => {
    switch (order.kind) {
      case 'loop':
        return await closedLoop(order, () => execute(order.tasks));
      case 'work':
        return await work(order);
      case 'stopWorking':
        working.isOpen = false;
        await working.done;
        return { total: working.total };
      default:
        throw new Error(`Not for a client: ${order.kind}`);
    }
  },
  () => pool.close(),
);
