import type { Task, TaskStatus, WorkflowStatus } from '../../../../engine/model/execution.js';

/** One thing that the workflow does after a decision. */
export interface Step {
  readonly words: string;
  readonly state: 'done' | 'running' | 'failed' | 'skipped';
}

/** How a workflow goes on after a decision. */
export interface Course {
  readonly steps: readonly Step[];
  readonly end?: 'done' | 'failed' | 'stopped' | undefined;
}

/** A step in the words of those who decide: while it runs, once it is done, and what it is when it fails. */
interface Words {
  readonly doing: string;
  readonly done: string;
  readonly noun: string;
}

const WORDS: Readonly<Record<string, Words>> = {
  release_object: { doing: 'releasing', done: 'released and verified', noun: 'the release' },
  delete_object: { doing: 'deleting', done: 'deleted', noun: 'the deletion' },
  tag_object: { doing: 'tagging', done: 'tagged', noun: 'the tag' },
  quarantine_object: { doing: 'moving to quarantine', done: 'in quarantine', noun: 'the move to quarantine' },
  keep_object: { doing: 'keeping it', done: 'kept', noun: 'keeping it' },
  close_scan: { doing: 'closing the record', done: 'record closed', noun: 'closing the record' },
  record_verdict: { doing: 'recording the verdict', done: 'verdict recorded', noun: 'recording the verdict' },
  record_failure: { doing: 'recording the failure', done: 'failure recorded', noun: 'recording the failure' },
  inspect_object: { doing: 'inspecting', done: 'inspected', noun: 'the inspection' },
  scan_secrets: { doing: 'scanning for secrets', done: 'scanned for secrets', noun: 'the scan for secrets' },
  scan_malware: { doing: 'scanning for malware', done: 'scanned for malware', noun: 'the scan for malware' },
};

/** A worker that ended well and did nothing says so in its output: what it says then. */
const NOT_DONE: readonly { readonly field: string; readonly value: unknown; readonly words: string }[] = [
  { field: 'outcome', value: 'not_released', words: 'not released' },
  { field: 'deleted', value: false, words: 'not deleted' },
  { field: 'tagged', value: false, words: 'not tagged' },
];

// What only steers a workflow is nothing that it does.
const STEERING = new Set([
  'SWITCH',
  'DECISION',
  'FORK',
  'FORK_JOIN',
  'FORK_JOIN_DYNAMIC',
  'JOIN',
  'EXCLUSIVE_JOIN',
  'DO_WHILE',
  'SET_VARIABLE',
  'INLINE',
  'LAMBDA',
  'JSON_JQ_TRANSFORM',
  'NOOP',
  'TERMINATE',
  'GET_WORKFLOW',
]);

// A message is no log: what comes behind is in the execution.
const MOST_STEPS = 12;

/** What came after a HUMAN task of a workflow, in order, each step as its latest attempt is. */
export function courseAfter(
  workflow: { readonly status: WorkflowStatus; readonly tasks: readonly Task[] },
  humanTaskId: string,
): Course {
  const human = workflow.tasks.find(({ taskId }) => taskId === humanTaskId);
  const steps =
    human === undefined
      ? []
      : workflow.tasks
          .filter((task) => task.seq > human.seq && !task.retried && !STEERING.has(kindOf(task)))
          .sort((a, b) => a.seq - b.seq)
          .slice(0, MOST_STEPS)
          .map(stepOf);
  const end = endOf(workflow.status);
  return { steps, ...(end === undefined ? {} : { end }) };
}

const kindOf = ({ workflowTask, taskType }: Task): string => workflowTask.type || taskType;

function stepOf(task: Task): Step {
  const state = stateOf(task.status);
  const notDone = NOT_DONE.find(({ field, value }) => task.outputData[field] === value);
  if (state === 'done' && notDone !== undefined) return { words: notDone.words, state: 'skipped' };
  return { words: wordsOf(task, state), state };
}

function stateOf(status: TaskStatus): Step['state'] {
  switch (status) {
    case 'COMPLETED':
    case 'COMPLETED_WITH_ERRORS':
      return 'done';
    case 'SCHEDULED':
    case 'IN_PROGRESS':
      return 'running';
    case 'SKIPPED':
    case 'CANCELED':
      return 'skipped';
    case 'FAILED':
    case 'FAILED_WITH_TERMINAL_ERROR':
    case 'TIMED_OUT':
      return 'failed';
    default:
      return status satisfies never;
  }
}

function wordsOf({ taskDefName, workflowTask, outputData }: Task, state: Step['state']): string {
  if (workflowTask.type === 'HUMAN') return state === 'done' ? 'asked again, and answered' : 'asking again';
  const known = Object.hasOwn(WORDS, taskDefName) ? WORDS[taskDefName] : undefined;
  const plain = taskDefName.replaceAll(/[_-]+/g, ' ').trim() || workflowTask.taskReferenceName;
  switch (state) {
    case 'done':
      return taskDefName === 'tag_object' ? tagged(outputData['tags']) : (known?.done ?? plain);
    case 'running':
      return known?.doing ?? plain;
    case 'failed':
      return known?.noun ?? plain;
    case 'skipped':
      return `${known?.noun ?? plain} left out`;
    default:
      return state satisfies never;
  }
}

/** With the verdict that the object carries now, where the tags say it in one word. */
function tagged(tags: unknown): string {
  const verdict =
    typeof tags === 'object' && tags !== null
      ? (tags as Readonly<Record<string, unknown>>)['sallyport-verdict']
      : undefined;
  return typeof verdict === 'string' && /^[a-z]{1,20}$/.test(verdict) ? `tagged ${verdict}` : 'tagged';
}

function endOf(status: WorkflowStatus): Course['end'] {
  switch (status) {
    case 'COMPLETED':
      return 'done';
    case 'FAILED':
    case 'TIMED_OUT':
      return 'failed';
    case 'TERMINATED':
      return 'stopped';
    case 'RUNNING':
    case 'PAUSED':
      return undefined;
    default:
      return status satisfies never;
  }
}
