import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/engine/decider/decide.js';
import { newWorkflow } from '../../../src/engine/decider/new-workflow.js';
import { validateDefinition } from '../../../src/engine/decider/validate.js';
import type { Command, DeciderOutcome, WorkflowState } from '../../../src/engine/model/command.js';
import { isTerminalWorkflow } from '../../../src/engine/model/execution.js';
import { Interpreter } from '../../support/interpreter/interpreter.js';
import type { Happening } from '../../support/interpreter/interpreter.js';
import { definitions, timedTaskDefs } from './arbitraries.js';
import { START, WORKFLOW_ID } from './fixtures.js';
import { moves, perform } from './moves.js';
import { TIME_LIMIT_MS, runs } from './runs.js';

/** The same happening in the interpreter's words; `undefined` when it concerns nothing that it could name. */
function happening(state: WorkflowState, command: Command | undefined): Happening | undefined {
  if (command === undefined) return { kind: 'wake' };
  switch (command.kind) {
    case 'updateTask': {
      const { status, outputData: output, callbackAfterSeconds } = command;
      return { kind: 'update', row: position(state, command.taskId), status, output, callbackAfterSeconds };
    }
    case 'evaluated': {
      const row = position(state, command.taskId);
      // An answer to an earlier question.
      if (String(state.tasks[row]?.pollCount) !== command.evaluation) return undefined;
      const { result } = command;
      return { kind: 'answer', row, value: result.ok ? result.value : new Error(result.message) };
    }
    case 'childEnded': {
      const { status, output, endTime: at } = command;
      return { kind: 'child', row: position(state, command.taskId), status, output, at };
    }
    case 'childRetried':
      return { kind: 'childAgain', row: position(state, command.taskId), at: command.retriedAt };
    case 'fail':
      throw new Error('The engine alone fails a workflow, when it cannot be stored.');
    default:
      return { kind: command.kind };
  }
}

const position = ({ tasks }: WorkflowState, taskId: string): number =>
  tasks.findIndex((task) => task.taskId === taskId);

/** Children by the attempts that started them instead of by their ids. */
function anonymous<T>(value: T, { tasks }: WorkflowState): T {
  let text = JSON.stringify(value);
  for (const { subWorkflowId, referenceTaskName, retryCount } of tasks) {
    if (subWorkflowId !== undefined)
      text = text.replaceAll(subWorkflowId, `child of ${referenceTaskName}#${retryCount}`);
  }
  return JSON.parse(text) as T;
}

const decided = ({ state, effects }: DeciderOutcome) =>
  anonymous(
    {
      status: state.workflow.status,
      output: isTerminalWorkflow(state.workflow.status) ? state.workflow.output : {},
      variables: state.workflow.variables,
      effects: effects.flatMap((effect) =>
        effect.kind === 'childEnded' || effect.kind === 'childRetried'
          ? []
          : [`${effect.kind === 'startWorkflow' ? 'start' : 'stop'} ${effect.workflowId}`],
      ),
      rows: state.tasks.map((task) => ({
        name: task.referenceTaskName,
        attempt: task.retryCount,
        iteration: task.iteration,
        status: task.status,
        queued: task.queued,
        replaced: task.retried,
        output: task.outputData,
        previous: task.inputData['previous'] ?? null,
      })),
    },
    state,
  );

const interpreted = (interpreter: Interpreter): ReturnType<typeof decided> => ({
  status: interpreter.status,
  output: isTerminalWorkflow(interpreter.status) ? interpreter.output : {},
  variables: interpreter.variables,
  effects: interpreter.effects,
  rows: interpreter.rows.map((row) => ({
    name: row.name,
    attempt: row.attempt,
    iteration: row.iteration,
    status: row.status,
    queued: row.queued,
    replaced: row.replaced,
    output: row.output,
    // A sub-workflow's inputs are in its workflowInput.
    previous: row.step.type === 'SUB_WORKFLOW' ? null : (row.input['previous'] ?? null),
  })),
});

const cases = fc.record({
  def: definitions({ permissive: true, waits: true, races: true }),
  timeoutSeconds: fc.constantFrom(0, 0, 25),
  hasOutput: fc.boolean(),
  // Only the decider's ids decide about a jitter.
  taskDefs: timedTaskDefs.map(
    (defs) => new Map([...defs].map(([name, def]) => [name, { ...def, backoffJitterMs: 0 }])),
  ),
  list: moves,
});

describe('whatever happens to a workflow', () => {
  it(
    'comes to what a naive reading of the rules says, after each step',
    () => {
      fc.assert(
        fc.property(cases, ({ def: plain, timeoutSeconds, hasOutput, taskDefs, list }) => {
          const outputParameters = hasOutput ? { t1: '${t1.output}', t2: 'status ${t2.status}' } : {};
          const def = { ...plain, timeoutSeconds, timeoutPolicy: 'TIME_OUT_WF' as const, outputParameters };
          expect(validateDefinition(plain)).toEqual([]);
          const input = { value: 2 };
          const interpreter = new Interpreter(def, taskDefs, input, START);
          perform(
            newWorkflow({ workflowId: WORKFLOW_ID, definition: def, taskDefs, now: START, input }),
            list,
            {
              decided(state, commands, now) {
                const outcome = decide(state, commands, now);
                const what = happening(state, commands[0]);
                const isTaken = interpreter.happen(what ?? { kind: 'wake' }, now) && what !== undefined;
                expect(interpreted(interpreter)).toEqual(decided(outcome));
                expect(outcome.rejected.length === 0).toBe(isTaken);
                const { needs } = decide(outcome.state, [], now);
                const asked = interpreter.asks().map((row) => ({
                  ref: interpreter.rows[row]!.name,
                  input: interpreter.questionInput(row),
                }));
                expect(
                  anonymous(
                    needs.map(({ ref, input: seen }) => ({ ref, input: seen })),
                    outcome.state,
                  ),
                ).toEqual(asked);
                return outcome.state;
              },
              claimed(row, now) {
                interpreter.claimed(row, now);
              },
            },
          );
        }),
        { numRuns: runs(250) },
      );
    },
    TIME_LIMIT_MS,
  );
});
