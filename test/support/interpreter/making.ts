import type { WorkflowTask } from '../../../src/engine/model/definition.js';
import type { TaskStatus } from '../../../src/engine/model/execution.js';
import type { Json, JsonObject } from '../../../src/engine/model/json.js';
import { resolve, textOf } from './expressions.js';
import { Questions } from './questions.js';
import { childOf, nameOf, progress } from './row.js';
import type { Row } from './row.js';

/** How each type's rows begin, and how any row ends. */
export class Making extends Questions {
  protected schedule(
    step: WorkflowTask,
    path: readonly number[],
    again?: { readonly of: Row; readonly delayMs: number; readonly anew: boolean },
  ): void {
    const { now } = this;
    const row: Row = {
      step,
      name: nameOf(step.taskReferenceName, path),
      path,
      attempt: again === undefined ? 0 : again.of.attempt + 1,
      status: 'COMPLETED',
      input: this.resolved(step.inputParameters),
      output: {},
      iteration: path.at(-1) ?? 0,
      replaced: false,
      handled: false,
      queued: false,
      firstScheduledAt: again === undefined || again.anew ? now : again.of.firstScheduledAt,
      startedAt: now,
      updatedAt: now,
      dueAt: now,
      endedAt: now,
      againAt: 0,
    };
    const delayMs = again?.delayMs ?? 0;
    this.rows.push(row);
    switch (step.type) {
      case 'SIMPLE':
        Object.assign(row, { status: 'SCHEDULED', queued: true, startedAt: undefined });
        row.dueAt = delayMs > 0 ? now + delayMs : now + step.startDelay * 1000;
        return;
      case 'HUMAN':
        Object.assign(row, { status: 'IN_PROGRESS', queued: true, dueAt: now + delayMs });
        return;
      case 'WAIT':
        row.status = 'IN_PROGRESS';
        row.dueAt = now + 1000 * Number.parseInt(textOf(row.input['duration'] ?? '0'), 10);
        return;
      case 'JOIN':
        row.status = 'IN_PROGRESS';
        return;
      case 'SET_VARIABLE':
        this.variables = { ...this.variables, ...row.input };
        return;
      case 'SWITCH': {
        const value = row.input[step.expression ?? ''];
        const selectedCase = textOf(value);
        row.output = { evaluationResult: [selectedCase], selectedCase };
        return;
      }
      case 'TERMINATE':
        row.output = (row.input['workflowOutput'] ?? {}) as JsonObject;
        return;
      case 'DO_WHILE':
        this.beginLoop(row);
        return;
      case 'SUB_WORKFLOW':
        Object.assign(row, { status: 'SCHEDULED', startedAt: undefined });
        row.dueAt = delayMs > 0 ? now + delayMs : now + step.startDelay * 1000;
        if (row.dueAt <= now) this.startChild(row);
        return;
      default:
        return;
    }
  }

  protected startChild(row: Row): void {
    row.status = 'IN_PROGRESS';
    row.startedAt = this.now;
    row.updatedAt = this.now;
    row.output = { subWorkflowId: childOf(row) };
    this.effects.push(`start ${childOf(row)}`);
  }

  protected beginLoop(row: Row): void {
    const { step } = row;
    if (step.items === undefined) {
      row.iteration = 1;
    } else {
      const items = resolve(step.items, this.look);
      if (!Array.isArray(items)) {
        row.status = 'FAILED_WITH_TERMINAL_ERROR';
        return;
      }
      row.input = { ...row.input, _items: items as Json };
      row.iteration = items.length === 0 ? 0 : 1;
    }
    row.output = progress(row);
    row.status = row.iteration === 0 ? 'COMPLETED' : 'IN_PROGRESS';
  }

  /** Ends a row by anything but its child, which is told. */
  protected finish(row: Row, status: TaskStatus): void {
    const hasChild = row.step.type === 'SUB_WORKFLOW' && row.status === 'IN_PROGRESS';
    row.status = status;
    row.queued = false;
    row.updatedAt = this.now;
    row.endedAt = this.now;
    if (hasChild) this.effects.push(`stop ${childOf(row)}`);
  }
}
