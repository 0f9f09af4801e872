import type { Clock } from '../../clock.js';
import { InvalidInput, Overloaded, Unavailable } from '../../errors.js';
import type { ScriptNeed, ScriptResult } from '../model/command.js';
import type { Workflow } from '../model/execution.js';
import type { ScriptRunner } from '../scripts/script-runner.js';
import type { Committer } from './committer.js';
import type { CrashPoints } from './crash-points.js';
import type { RuntimeLog } from './runtime-log.js';

interface Parts {
  readonly scripts: ScriptRunner;
  readonly clock: Clock;
  readonly committer: () => Committer;
  readonly crash: CrashPoints;
  readonly log: RuntimeLog;
}

/**
 * Has scripts evaluated that workflows wait for, outside of any transaction, and reports what came of them.
 *
 * Nothing of it is stored. While a script is waited for, the workflow has a timer row; when this process dies, or has
 * no room for the script, the wake says the need again, here or on another node. Two nodes may then evaluate the same
 * script; the first result counts and the other one is late.
 */
export class Evaluations {
  private readonly underWay = new Set<string>();
  private isStopped = false;
  private evaluatedCount = 0;
  private failedCount = 0;

  constructor(private readonly parts: Parts) {}

  /** How many are waited for in this process; since its start, how many were evaluated, and failed at it. */
  get facts(): { readonly underWay: number; readonly evaluated: number; readonly failed: number } {
    return { underWay: this.underWay.size, evaluated: this.evaluatedCount, failed: this.failedCount };
  }

  /** Scripts that a commit says are needed; those already under way are not evaluated twice. */
  need({ workflowId, workflowName }: Workflow, needs: readonly ScriptNeed[]): void {
    if (this.isStopped) return;
    for (const need of needs) {
      const key = `${workflowId}/${need.taskId}/${need.evaluation}`;
      if (this.underWay.has(key)) continue;
      this.underWay.add(key);
      void this.evaluate(workflowId, workflowName, need).finally(() => this.underWay.delete(key));
    }
  }

  /** Evaluates nothing more; what is needed is said again by the workflows' timers. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.parts.scripts.close();
  }

  private async evaluate(workflowId: string, workflowName: string, need: ScriptNeed): Promise<void> {
    const { scripts, clock, crash, log } = this.parts;
    const facts = { workflowId, taskId: need.taskId, ref: need.ref };
    await crash.reach('script:needed');
    let result: ScriptResult;
    try {
      result = await scripts.evaluate({
        expression: need.expression,
        input: need.input,
        now: clock.now(),
        seed: `${need.taskId}/${need.evaluation}`,
        group: workflowName,
        member: workflowId,
      });
    } catch (error) {
      if (this.isStopped) return;
      const isExpected = error instanceof Overloaded || error instanceof Unavailable;
      log[isExpected ? 'warn' : 'error'](
        { ...facts, err: error },
        'a script was not evaluated; it is tried again',
      );
      return;
    }
    this.evaluatedCount += 1;
    if (!result.ok) this.failedCount += 1;
    await crash.reach('script:evaluated');
    try {
      await this.report(workflowId, need, result);
    } catch (error) {
      if (!this.isStopped) log.error({ ...facts, err: error }, 'what a script came to could not be stored');
    }
  }

  private async report(workflowId: string, need: ScriptNeed, result: ScriptResult): Promise<void> {
    const { taskId, evaluation } = need;
    const submit = (given: ScriptResult) =>
      this.parts.committer().submit(
        workflowId,
        {
          kind: 'command',
          command: {
            kind: 'evaluated',
            commandId: `evaluated:${taskId}:${evaluation}`,
            actor: { kind: 'system', id: 'engine' },
            taskId,
            evaluation,
            result: given,
          },
        },
        { internal: true },
      );
    try {
      await submit(result);
    } catch (error) {
      if (!(error instanceof InvalidInput) || !result.ok) throw error;
      await submit({ ok: false, message: `Its result cannot be stored. ${error.message}` });
    }
  }
}
