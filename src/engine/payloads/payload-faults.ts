import type { WorkflowState } from '../model/command.js';
import type { Task } from '../model/execution.js';
import type { JsonObject } from '../model/json.js';
import { inlineBytes, type KnownWorkflow } from '../runtime/workflow-cache.js';
import { digestOfText, PayloadNeeded, refOf, type PayloadRef } from './placeholder.js';
import type { PayloadVault } from './payload-vault.js';
import { PayloadUnsaved, type Sealing } from './seal.js';

// Two workflows at a time hold large values while they are decided: memory stays flat however many have them.
const SLOTS = 2;
// Each round fetches one value or stores all that a decision made; a decision over more than this is a defect.
const MAX_ROUNDS = 1_000;
// Who looked into some values one after the other (a JOIN, the end of a loop) looks into those beside them too.
const ROUNDS_BEFORE_AHEAD = 3;
const AHEAD_BYTES = 4 * 1024 * 1024;
const AHEAD_VALUES = 200;
// A decision whose values differ each time it is made (it shows the time) is stored in the rows in the end.
const MAX_SAVES = 4;
const MAX_LOST = 10_000;

/** What was fetched and stored for one workflow's decision, until it is stored. */
interface Hold {
  readonly values: Map<string, JsonObject>;
  readonly saved: Map<string, PayloadRef>;
  /** Worth fetching together with what is needed. */
  ahead: readonly PayloadRef[];
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
  decide<Known extends Pick<KnownWorkflow, 'state' | 'bytes'>, Result>(
    known: Known,
    work: (known: Known, sealing: Sealing) => Result,
  ): Result {
    const hold = this.holds.size === 0 ? undefined : this.holds.get(known.state.workflow.workflowId);
    let sealing = this.sealingWith(known, hold);
    let current = known;
    const fill = (at: (key: string) => JsonObject | undefined): boolean => {
      const fetched = new Set(sealing.fetched);
      const state = filledIn(current.state, at, fetched);
      if (state === undefined) return false;
      current = { ...current, state };
      sealing = { ...sealing, fetched };
      return true;
    };
    // At once, and not one by one as the decision comes to them: it is made anew each time.
    if (hold !== undefined && hold.values.size > 0) fill((key) => hold.values.get(key));
    for (let round = 0; ; round++) {
      try {
        return work(current, sealing);
      } catch (error) {
        if (!(error instanceof PayloadNeeded) || round >= MAX_ROUNDS) throw error;
        const { key: needed } = error.ref;
        const value = sealing.at(needed);
        if (value === undefined) {
          if (hold !== undefined)
            hold.ahead = hold.rounds < ROUNDS_BEFORE_AHEAD ? [] : beside(current.state, needed);
          throw error;
        }
        // It stands in no row, so nobody can be given it.
        if (!fill((key) => (key === needed ? value : undefined))) throw error;
      }
    }
  }

  private sealingWith(known: Pick<KnownWorkflow, 'state' | 'bytes'>, hold: Hold | undefined): Sealing {
    const inline = inlineBytes(known);
    if (hold === undefined) {
      return { at: this.resident, isLost: this.isLost, inlineBytes: inline };
    }
    return {
      at: (key) => hold.values.get(key) ?? this.vault.residentValue(key),
      isLost: this.isLost,
      inlineBytes: inline,
      saved: hold.saved,
      keepInRows: hold.saves > MAX_SAVES,
    };
  }

  private readonly resident = (key: string): JsonObject | undefined => this.vault.residentValue(key);

  private readonly isLost = (key: string): boolean => this.lost.size > 0 && this.lost.has(key);

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
      await this.loadAhead(hold);
      return;
    }
    hold.saves += 1;
    for (const value of fault.values) {
      const digest = digestOfText(JSON.stringify(value));
      if (!hold.saved.has(digest)) hold.saved.set(digest, await this.vault.save(workflowId, value));
    }
  }

  private async loadAhead({ ahead, values }: Hold): Promise<void> {
    try {
      for (const ref of ahead) {
        if (!values.has(ref.key)) values.set(ref.key, await this.vault.load(ref));
      }
    } catch {
      // Whoever needs it asks for it, and is told.
    }
  }

  private async hold(workflowId: string): Promise<Hold> {
    const known = this.holds.get(workflowId);
    if (known !== undefined) return known;
    if (this.freeSlots > 0) this.freeSlots -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    const hold: Hold = { values: new Map(), saved: new Map(), ahead: [], rounds: 0, saves: 0 };
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

/** The state with these values wherever they stand for themselves; `undefined` when they stand nowhere. */
function filledIn(
  state: WorkflowState,
  at: (key: string) => JsonObject | undefined,
  fetched: Set<string>,
): WorkflowState | undefined {
  const fill = (one: JsonObject): JsonObject => {
    const ref = refOf(one);
    return (ref && at(ref.key)) ?? one;
  };
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

/** Stored outputs of the tasks that follow the one with this output, and then of those before it, within bounds. */
function beside({ tasks }: WorkflowState, key: string): readonly PayloadRef[] {
  const at = tasks.findIndex(({ outputData }) => refOf(outputData)?.key === key);
  if (at === -1) return [];
  const found: PayloadRef[] = [];
  let bytes = 0;
  for (const { outputData } of [...tasks.slice(at + 1), ...tasks.slice(0, at)]) {
    const ref = refOf(outputData);
    if (ref === undefined) continue;
    bytes += ref.bytes;
    if (bytes > AHEAD_BYTES || found.length >= AHEAD_VALUES) break;
    found.push(ref);
  }
  return found;
}
