import type { Clock } from '../../clock.js';
import type { ExecutionStore, TaskLogLine } from '../execution-store.js';
import { storableText } from './payload-check.js';
import type { RuntimeLog } from './runtime-log.js';

export const MAX_LOG_LINES = 1_000;
export const MAX_LOG_CHARACTERS = 4_096;
// Lines are written within a second; this many waiting means that the database is away.
const MAX_WAITING = 20_000;

/** Collects the lines of in-process runs and stores them together. */
export class TaskLogs {
  private waiting: TaskLogLine[] = [];
  private lost = 0;

  constructor(
    private readonly store: ExecutionStore,
    private readonly clock: Clock,
    private readonly log: RuntimeLog,
  ) {}

  /** A writer for one run; takes at most 1,000 lines. */
  writer(taskId: string): (line: string) => void {
    let count = 0;
    return (line) => {
      count += 1;
      if (count > MAX_LOG_LINES) return;
      if (this.waiting.length >= MAX_WAITING) {
        this.lost += 1;
        return;
      }
      this.waiting.push({
        taskId,
        createdTime: this.clock.now(),
        log: storableText(line, MAX_LOG_CHARACTERS),
      });
    };
  }

  /** One line about a task from the engine itself; stored within a second. */
  add(taskId: string, line: string): void {
    this.writer(taskId)(line);
  }

  get hasWaiting(): boolean {
    return this.waiting.length > 0;
  }

  /** Stores what waits; keeps it for the next time when the database does not answer. */
  async flush(): Promise<void> {
    if (this.lost > 0) {
      this.log.warn({ lost: this.lost }, 'task log lines were dropped: the database was away too long');
      this.lost = 0;
    }
    const lines = this.waiting.splice(0, 2_000);
    if (lines.length === 0) return;
    try {
      await this.store.appendLogs(lines);
    } catch (error) {
      this.waiting.unshift(...lines);
      this.log.warn({ err: error, lines: lines.length }, 'task log lines could not be stored yet');
    }
  }
}
