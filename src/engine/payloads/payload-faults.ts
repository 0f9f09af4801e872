import type { WorkflowState } from '../model/command.js';
import type { Task } from '../model/execution.js';
import type { JsonObject } from '../model/json.js';
import { digestOfText, PayloadNeeded, refOf, type PayloadRef } from './placeholder.js';
import type { PayloadVault } from './payload-vault.js';
import { PayloadUnsaved, type Sealing } from './seal.js';

// Two workflows at a time hold large values while they are decided: memory stays flat however many have them.
const SLOTS = 2;
// Each round fetches one value or stores all that a decision made; a decision over more than this is a defect.
const MAX_ROUNDS = 1_000;
// A decision whose values differ each time it is made (it shows the time) is stored in the rows in the end.
const MAX_SAVES = 4;
const MAX_LOST = 10_000;

/** What was fetched and stored for one workflow's decision, until it is stored. */
interface Hold {
  readonly values: Map<string, JsonObject>;
  readonly saved: Map<string, PayloadRef>;
  rounds: number;
  saves: number;
}

export const isPayloadFault = (error: unknown): error is PayloadNeeded | PayloadUnsaved =>
  error instanceof PayloadNeeded || error instanceof PayloadUnsaved;

/**
 * Large values and a decider that knows nothing of them.
 *
 * A decision that looks into a value that is not at hand, or makes one that no store has, stops there and is rolled back;
 * the value is fetched or stored outside of any transaction, and the decision is made again. So what a row refers to is
 * durable before the row is.
 */
export class PayloadFaults {
  private readonly holds = new Map<string, Hold>();
  private readonly waiting: (() => void)[] = [];
  private freeSlots = SLOTS;
  private readonly lost = new Set<string>();

  constructor(readonly vault: PayloadVault) {}

  /** Runs a decision, giving it the values that are at hand. Throws PayloadNeeded or PayloadUnsaved for others. */
  decide<Known extends { readonly state: WorkflowState }, Result>(
    known: Known,
    work: (known: Known, sealing: Sealing) => Result,
  ): Result {
    const hold = this.holds.size === 0 ? undefined : this.holds.get(known.state.workflow.workflowId);
    let sealing = hold === undefined ? this.plain : this.sealingWith(hold);
    let current = known;
    for (let round = 0; ; round++) {
      try {
        return work(current, sealing);
      } catch (error) {
        if (!(error instanceof PayloadNeeded) || round >= MAX_ROUNDS) throw error;
        const value = sealing.at(error.ref.key);
        if (value === undefined) throw error;
        const fetched = new Set(sealing.fetched);
        const state = filledIn(current.state, error.ref.key, value, fetched);
        // It stands in no row, so nobody can be given it.
        if (state === undefined) throw error;
        current = { ...current, state };
        sealing = { ...sealing, fetched };
      }
    }
  }

  private sealingWith(hold: Hold): Sealing {
    return {
      at: (key) => hold.values.get(key) ?? this.vault.residentValue(key),
      isLost: this.isLost,
      saved: hold.saved,
      keepInRows: hold.saves > MAX_SAVES,
    };
  }

  private readonly isLost = (key: string): boolean => this.lost.size > 0 && this.lost.has(key);

  /** For nearly all decisions: nothing was fetched for them. */
  private readonly plain: Sealing = {
    at: (key) => this.vault.residentValue(key),
    isLost: this.isLost,
  };

  /**
   * Fetches or stores what a decision stopped at. The workflow holds one of the slots from now on until `release`.
   *
   * Throws PayloadGone, or what the store says when it does not answer.
   */
  async settle(workflowId: string, fault: PayloadNeeded | PayloadUnsaved): Promise<void> {
    const hold = await this.hold(workflowId);
    hold.rounds += 1;
    if (hold.rounds > MAX_ROUNDS) {
      throw new Error(`Deciding ${workflowId} asks for ever more stored values`, { cause: fault });
    }
    if (fault instanceof PayloadNeeded) {
      if (hold.values.has(fault.ref.key)) {
        throw new Error(`Deciding ${workflowId} asks again for ${fault.ref.key}`, { cause: fault });
      }
      hold.values.set(fault.ref.key, await this.vault.load(fault.ref));
      return;
    }
    hold.saves += 1;
    for (const value of fault.values) {
      const digest = digestOfText(JSON.stringify(value));
      if (!hold.saved.has(digest)) hold.saved.set(digest, await this.vault.save(workflowId, value));
    }
  }

  private async hold(workflowId: string): Promise<Hold> {
    const known = this.holds.get(workflowId);
    if (known !== undefined) return known;
    if (this.freeSlots > 0) this.freeSlots -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    const hold: Hold = { values: new Map(), saved: new Map(), rounds: 0, saves: 0 };
    this.holds.set(workflowId, hold);
    return hold;
  }

  /** The workflow's decision was stored or given up. */
  release(workflowId: string): void {
    if (this.holds.size === 0 || !this.holds.delete(workflowId)) return;
    const next = this.waiting.shift();
    if (next === undefined) this.freeSlots += 1;
    else next();
  }

  /** These were removed as unused before the commit that wanted them: their values are stored anew. */
  disown(keys: readonly string[]): void {
    for (const key of keys) this.lost.add(key);
    for (const { saved } of this.holds.values()) {
      for (const [digest, { key }] of saved) if (this.lost.has(key)) saved.delete(digest);
    }
    for (const key of this.lost) {
      if (this.lost.size <= MAX_LOST) break;
      this.lost.delete(key);
    }
  }
}

/** The state with the value wherever it stands for itself; `undefined` when it stands nowhere. */
function filledIn(
  state: WorkflowState,
  key: string,
  value: JsonObject,
  fetched: Set<string>,
): WorkflowState | undefined {
  const fill = (one: JsonObject): JsonObject => (refOf(one)?.key === key ? value : one);
  let isFound = false;
  const tasks = state.tasks.map((task): Task => {
    const inputData = fill(task.inputData);
    const outputData = fill(task.outputData);
    if (inputData === task.inputData && outputData === task.outputData) return task;
    isFound = true;
    fetched.add(task.taskId);
    return { ...task, inputData, outputData };
  });
  const { workflow } = state;
  const input = fill(workflow.input);
  const output = fill(workflow.output);
  if (input !== workflow.input || output !== workflow.output) {
    isFound = true;
    fetched.add(workflow.workflowId);
  }
  return isFound ? { ...state, workflow: { ...workflow, input, output }, tasks } : undefined;
}
