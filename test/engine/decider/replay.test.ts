import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { decide } from '../../../src/engine/decider/decide.js';
import { newWorkflow } from '../../../src/engine/decider/new-workflow.js';
import { MemoryExecutionStore } from '../../../src/engine/memory/memory-execution-store.js';
import type { Command, WorkflowState } from '../../../src/engine/model/command.js';
import { command as submit, definitionOf, start } from '../conformance/fixtures.js';
import { definitions } from './arbitraries.js';
import { START, WORKFLOW_ID } from './fixtures.js';
import { moves, perform } from './moves.js';
import { TIME_LIMIT_MS, runs } from './runs.js';

interface Recorded {
  readonly command: Command;
  readonly now: number;
}

const replayable = fc.record({
  def: definitions({ permissive: true, waits: true, races: true }),
  // A poll is no command: what it does to a row is not recorded.
  list: moves.map((list) => list.filter(({ kind }) => kind !== 'claim')),
});

it(
  'recorded commands replayed into an empty store give the same rows',
  async () => {
    await fc.assert(
      fc.asyncProperty(replayable, async ({ def, list }) => {
        const definition = definitionOf(def);
        const fresh = { workflowId: WORKFLOW_ID, definition, taskDefs: new Map(), now: START };
        const journal: string[] = [];
        let last: WorkflowState | undefined;
        perform(newWorkflow(fresh), list, {
          decided(state, commands, now) {
            for (const command of commands) journal.push(JSON.stringify({ command, now } satisfies Recorded));
            last = decide(state, commands, now).state;
            return last;
          },
        });

        const store = new MemoryExecutionStore();
        for (const line of journal) {
          const { command, now } = JSON.parse(line) as Recorded;
          if (command.kind === 'start') await start(store, { workflowId: WORKFLOW_ID, definition: def, now });
          else await submit(store, WORKFLOW_ID, { ...command }, { now, commandId: command.commandId });
        }
        const stored = await store.load(WORKFLOW_ID);
        expect(stored?.tasks).toEqual(last?.tasks);
        expect({ ...stored?.workflow, revision: 0 }).toEqual({ ...last?.workflow, revision: 0 });
      }),
      { numRuns: runs(100) },
    );
  },
  TIME_LIMIT_MS,
);
