import { jsonBytes } from '../decider/json-size.js';
import { withTasks } from '../decider/transition.js';
import type { Command, DeciderOutcome, Effect, WorkflowState } from '../model/command.js';
import type { Task, Workflow } from '../model/execution.js';
import type { JsonObject } from '../model/json.js';
import { DEFAULT_PAYLOAD_LIMITS } from '../model/payload-limits.js';
import {
  digestOfText,
  isPlaceholder,
  ownerOf,
  PayloadNeeded,
  placeholder,
  refOf,
  remember,
  standInOf,
  type PayloadRef,
} from './placeholder.js';

/** A decision made values that are too large for a row and not stored yet: store them and decide again. */
export class PayloadUnsaved extends Error {
  constructor(readonly values: readonly JsonObject[]) {
    super(
      `${values.length} value(s) have to be put into the payload store before the rows that refer to them`,
    );
  }
}

/** What a transition knows beside its state when large values are kept elsewhere. */
export interface Sealing {
  /** The value of a key, where it is at hand. */
  readonly at: (key: string) => JsonObject | undefined;
  /** Values that were stored for this decision, by the digest of their text. */
  readonly saved?: ReadonlyMap<string, PayloadRef> | undefined;
  /** The decision gives other values each time: keep them in the rows after all. */
  readonly keepInRows?: boolean | undefined;
  /** Rows whose values were fetched for this decision. */
  readonly fetched?: ReadonlySet<string> | undefined;
  /** About how much memory the payloads in this workflow's rows take (`roughBytes`). */
  readonly inlineBytes?: number | undefined;
  /** Keys that the store has given up. */
  readonly isLost: (key: string) => boolean;
}

const KB = 1024;
const MB = 1024 * KB;

/*
 * How large a value may be that joins the others in its workflow's rows, by what these come to. A decision reads all
 * rows of a workflow that is not in the cache, so the sum of them has to stay small however many values are just below the
 * threshold. Text counts two bytes per character here: the first bound is about 8 MB of JSON.
 */
const ROOM: readonly { readonly upTo: number; readonly largest: number }[] = [
  { upTo: 16 * MB, largest: Infinity },
  { upTo: 64 * MB, largest: 16 * KB },
  { upTo: Infinity, largest: KB },
];
const BYTES_PER_CHARACTER = 2;

const largestAt = (inlineBytes: number): number => ROOM.find(({ upTo }) => inlineBytes <= upTo)?.largest ?? 0;

/** Exchanges what is too large for a row for its placeholder, and names the keys that rows now refer to. */
class Seal {
  readonly keys = new Set<string>();
  readonly unsaved: JsonObject[] = [];
  private owner: string | undefined;
  private inlineBytes: number;

  constructor(
    private readonly workflowId: string,
    private readonly sealing: Sealing,
  ) {
    this.inlineBytes = sealing.inlineBytes ?? 0;
  }

  value(value: JsonObject, threshold: number, staysInRow = false): JsonObject {
    const stand = standInOf(value);
    const ref = stand === undefined ? undefined : refOf(stand);
    if (stand !== undefined && ref !== undefined) {
      if (!staysInRow && this.owns(ref) && !this.sealing.isLost(ref.key)) return this.refer(ref, stand);
      // Another workflow's: this one needs a copy of its own, which lives as long as it does.
      if (stand === value) throw new PayloadNeeded(ref);
    }
    const bytes = jsonBytes(value, threshold);
    const inlineBytes = this.inlineBytes + BYTES_PER_CHARACTER * Math.min(bytes, threshold);
    const fits = bytes <= threshold && bytes <= largestAt(inlineBytes);
    if (fits || staysInRow || this.sealing.keepInRows === true) {
      this.inlineBytes = inlineBytes;
      return value;
    }
    const saved = this.sealing.saved?.get(digestOfText(JSON.stringify(value)));
    if (saved !== undefined && !this.sealing.isLost(saved.key)) {
      const made = placeholder(saved);
      remember(value, made);
      return this.refer(saved, made);
    }
    this.unsaved.push(value);
    return value;
  }

  private owns(ref: PayloadRef): boolean {
    this.owner ??= `${ownerOf(this.workflowId)}/`;
    return ref.key.startsWith(this.owner);
  }

  private refer(ref: PayloadRef, stand: JsonObject): JsonObject {
    this.keys.add(ref.key);
    return stand;
  }
}

// The decider's index of rows reads their values also where nobody decides and nobody could fetch them.
const READ_BY_INDEX: ReadonlySet<string> = new Set(['WAIT', 'SWITCH', 'DO_WHILE']);

const isReadByIndex = (task: Task): boolean => READ_BY_INDEX.has(task.taskType);

const NO_KEYS: readonly string[] = [];

/**
 * The outcome with placeholders for what is too large for a row.
 *
 * Throws PayloadUnsaved for values that no store has yet, and PayloadNeeded for those that have to be fetched first.
 */
export function sealOutcome(
  outcome: DeciderOutcome,
  before: WorkflowState,
  rowBefore: (task: Task) => Task | undefined,
  isNew: boolean,
  sealing: Sealing,
): { readonly outcome: DeciderOutcome; readonly keys: readonly string[] } {
  for (const { input } of outcome.needs) fetchNow(input);
  if (outcome.state === before && !isNew) return { outcome, keys: NO_KEYS };
  const limits = before.limits ?? DEFAULT_PAYLOAD_LIMITS;
  const seal = new Seal(before.workflow.workflowId, sealing);
  const fetched = sealing.fetched;

  const sealedTasks: Task[] = [];
  const sealTask = (task: Task): Task => {
    const old = fetched === undefined ? rowBefore(task) : undefined;
    const staysInRow = isReadByIndex(task);
    const inputData =
      old?.inputData === task.inputData
        ? task.inputData
        : seal.value(task.inputData, limits.taskThreshold, staysInRow);
    const outputData =
      old?.outputData === task.outputData
        ? task.outputData
        : seal.value(task.outputData, limits.taskThreshold, staysInRow);
    if (inputData === task.inputData && outputData === task.outputData) return task;
    const sealed = { ...task, inputData, outputData };
    sealedTasks.push(sealed);
    return sealed;
  };
  const changedTasks = outcome.changedTasks.map(sealTask);
  if (fetched !== undefined) {
    const named = new Set(changedTasks.map(({ taskId }) => taskId));
    for (const task of outcome.state.tasks) {
      if (fetched.has(task.taskId) && !named.has(task.taskId)) sealTask(task);
    }
  }
  const workflow = sealWorkflow(outcome.state.workflow, before.workflow, seal, limits.workflowThreshold, {
    all: isNew || fetched !== undefined,
  });
  const effects =
    outcome.effects.length === 0
      ? outcome.effects
      : outcome.effects.map((effect) => sealEffect(effect, seal, limits.workflowThreshold));
  if (seal.unsaved.length > 0) throw new PayloadUnsaved(seal.unsaved);
  if (seal.keys.size === 0 && fetched === undefined) return { outcome, keys: NO_KEYS };
  const state = withTasks({ ...outcome.state, workflow }, sealedTasks);
  return { outcome: { ...outcome, state, changedTasks, effects }, keys: [...seal.keys] };
}

function sealWorkflow(
  workflow: Workflow,
  before: Workflow,
  seal: Seal,
  threshold: number,
  { all }: { readonly all: boolean },
): Workflow {
  if (workflow === before && !all) return workflow;
  const input =
    workflow.input === before.input && !all ? workflow.input : seal.value(workflow.input, threshold);
  const output =
    workflow.output === before.output && !all ? workflow.output : seal.value(workflow.output, threshold);
  return input === workflow.input && output === workflow.output ? workflow : { ...workflow, input, output };
}

function sealEffect(effect: Effect, seal: Seal, threshold: number): Effect {
  switch (effect.kind) {
    case 'startWorkflow': {
      const input = seal.value(effect.input, threshold);
      return input === effect.input ? effect : { ...effect, input };
    }
    case 'childEnded': {
      const output = seal.value(effect.output, threshold);
      return output === effect.output ? effect : { ...effect, output };
    }
    case 'childRetried':
    case 'terminateChild':
      return effect;
    default:
      return effect satisfies never;
  }
}

/** The commands with their values whole: what another workflow or a worker hands over may be kept elsewhere. */
export function wholeCommands(commands: readonly Command[], sealing: Sealing): readonly Command[] {
  return commands.some((command) => refOf(valueOf(command)) !== undefined)
    ? commands.map((command) => wholeCommand(command, sealing))
    : commands;
}

const NOTHING: JsonObject = {};

const valueOf = (command: Command): JsonObject =>
  command.kind === 'updateTask'
    ? command.outputData
    : command.kind === 'childEnded'
      ? command.output
      : NOTHING;

function wholeCommand(command: Command, { at }: Sealing): Command {
  const ref = refOf(valueOf(command));
  if (ref === undefined) return command;
  const whole = at(ref.key);
  if (whole === undefined) throw new PayloadNeeded(ref);
  if (command.kind === 'updateTask') return { ...command, outputData: whole };
  return command.kind === 'childEnded' ? { ...command, output: whole } : command;
}

/** A script gets the value itself. */
function fetchNow(value: JsonObject): void {
  const ref = refOf(value);
  if (ref !== undefined && isPlaceholder(value)) throw new PayloadNeeded(ref);
}
