import type { Cli } from './cli.js';
import { Passing } from './client.js';
import { CommandError } from './command-error.js';
import { readEvents, type StreamEvent } from './events.js';
import { taskLine, workflowLine, type TaskFacts, type WorkflowFacts } from './lines.js';

type Change = WorkflowFacts & { readonly tasks?: readonly TaskFacts[] };

const RETRY_MS = 2_000;
// A restart of the service takes seconds, one of its database's failover a minute or two.
const GIVE_UP_MS = 5 * 60_000;
// The service says something every 15 s.
const SILENT_MS = 45_000;
const OPEN = new Set(['RUNNING', 'PAUSED']);

/**
 * Prints one line per change until the workflow ends (of JSON where that is wanted). @returns its last status.
 *
 * A stream that is cut is taken up where it was; nothing is printed twice and nothing is left out.
 */
export async function follow(cli: Cli, workflowId: string): Promise<string> {
  const { client } = cli;
  const path = `/api/v1/stream?workflowId=${encodeURIComponent(workflowId)}`;
  const printer = new Printer(cli);
  let lastEventId: string | undefined;
  let heardAt = performance.now();
  let isCut = false;
  let wasThere = false;
  for (;;) {
    const silence = new Silence();
    try {
      for await (const event of readEvents(await client.stream(path, lastEventId, silence.signal))) {
        silence.heard();
        if (isCut) cli.note('connected again');
        isCut = false;
        wasThere = true;
        const status = await take(cli, workflowId, event, printer);
        // Only now: what could not be taken is told again by the next stream.
        lastEventId = event.id ?? lastEventId;
        // A greeting alone is no news: what comes after it may fail each time.
        if (event.event !== 'hello') heardAt = performance.now();
        if (status !== undefined && !OPEN.has(status)) return status;
      }
    } catch (error) {
      if (error instanceof CommandError && !(error instanceof Passing)) throw error;
      // What cannot be reached at the first attempt will not come; a stream that was there may.
      if (error instanceof CommandError && !wasThere) throw error;
      if (performance.now() - heardAt > GIVE_UP_MS) {
        throw new CommandError('The service was away for five minutes. Follow again when it is back.', {
          cause: error,
        });
      }
    } finally {
      silence.stop();
    }
    if (!isCut) cli.note('the connection is lost; trying again');
    isCut = true;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** @returns the workflow's status where the event tells it. */
async function take(
  { client }: Cli,
  workflowId: string,
  { event, data }: StreamEvent,
  printer: Printer,
): Promise<string | undefined> {
  if (event === 'change') return printer.print(JSON.parse(data) as Change);
  if (event === 'reset') {
    return printer.print(
      await client.call<Change>('GET', `/api/v1/executions/${encodeURIComponent(workflowId)}`),
    );
  }
  if (event === 'end') {
    const { reason } = JSON.parse(data) as { reason?: string };
    if (reason === 'gone') throw new CommandError(`Workflow ${workflowId} is no longer kept.`);
    if (reason === 'session') throw new CommandError('The key is no longer accepted. Use another one.');
  }
  return undefined;
}

/** Prints what is new: every attempt's every status once. */
class Printer {
  private readonly printed = new Map<string, string>();

  constructor(private readonly cli: Cli) {}

  print(change: Change): string {
    const { style } = this.cli;
    const tasks = [...(change.tasks ?? [])].sort((a, b) => a.updateTime - b.updateTime || a.seq - b.seq);
    const news: string[] = [];
    for (const task of tasks) {
      const holder = task.status === 'IN_PROGRESS' ? task.workerId : undefined;
      if (this.isNew(task.taskId, `${task.status} ${holder ?? ''} ${task.iteration}`))
        news.push(taskLine(task, style));
    }
    if (this.isNew('', change.status)) news.push(workflowLine(change, style));
    if (news.length > 0 && this.cli.json) this.cli.out(JSON.stringify(change));
    else for (const line of news) this.cli.out(line);
    return change.status;
  }

  private isNew(key: string, state: string): boolean {
    if (this.printed.get(key) === state) return false;
    this.printed.set(key, state);
    return true;
  }
}

/** Cuts a connection on which nothing is heard any more. */
class Silence {
  private readonly aborter = new AbortController();
  private timer = this.start();

  get signal(): AbortSignal {
    return this.aborter.signal;
  }

  heard(): void {
    clearTimeout(this.timer);
    this.timer = this.start();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.aborter.abort();
  }

  private start(): NodeJS.Timeout {
    return setTimeout(() => this.aborter.abort(), SILENT_MS);
  }
}
