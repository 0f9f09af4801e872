/* What the server says, as the pages need it. Times are milliseconds since the epoch. */

export interface WorkflowTask {
  readonly name: string;
  readonly taskReferenceName: string;
  readonly type: string;
  readonly decisionCases?: Readonly<Record<string, readonly WorkflowTask[]>>;
  readonly defaultCase?: readonly WorkflowTask[];
  readonly forkTasks?: readonly (readonly WorkflowTask[])[];
  readonly loopOver?: readonly WorkflowTask[];
  readonly joinOn?: readonly string[];
}

export interface WorkflowDef {
  readonly name: string;
  readonly version: number;
  readonly description?: string;
  readonly tasks: readonly WorkflowTask[];
}

export type WorkflowStatus = 'RUNNING' | 'COMPLETED' | 'FAILED' | 'TIMED_OUT' | 'TERMINATED' | 'PAUSED';

export interface WorkflowSummary {
  readonly workflowId: string;
  readonly workflowName: string;
  readonly workflowVersion: number;
  readonly status: WorkflowStatus;
  readonly correlationId?: string;
  readonly createTime: number;
  readonly updateTime: number;
  readonly endTime?: number;
  readonly reasonForIncompletion?: string;
}

export interface Task {
  readonly taskId: string;
  readonly referenceTaskName: string;
  readonly taskType: string;
  readonly taskDefName: string;
  readonly status: string;
  readonly inputData: unknown;
  readonly outputData: unknown;
  readonly seq: number;
  /** The attempt, from 0. */
  readonly retryCount: number;
  /** Inside of a loop, and of the loop itself: from 1; else 0. */
  readonly iteration: number;
  readonly pollCount: number;
  readonly workerId?: string;
  /** Who holds it; `null` or absent: nobody. `owner` is a run of this service, absent for a worker outside. */
  readonly lease?: { readonly owner?: string; readonly until: number } | null;
  /** Waits to be handed out, from `dueAt` on. */
  readonly queued?: boolean;
  readonly dueAt?: number;
  readonly scheduledTime: number;
  readonly startTime?: number;
  readonly updateTime: number;
  readonly endTime?: number;
  readonly reasonForIncompletion?: string;
  /** Where a SWITCH went. */
  readonly selectedCase?: string;
  /** The workflow that a SUB_WORKFLOW started. */
  readonly subWorkflowId?: string;
  /** It changed since the whole was fetched: input and output are not known. */
  readonly isStale?: boolean;
}

export interface Execution extends WorkflowSummary {
  readonly revision: number;
  readonly parentWorkflowId?: string;
  readonly workflowDefinition: WorkflowDef;
  readonly input: unknown;
  readonly output: unknown;
  readonly variables: unknown;
  readonly tasks: readonly Task[];
  readonly why: readonly WhyNotMoving[];
}

/** Why a run does not move, from the engine's closed list; each kind has the fields that it needs. */
export interface WhyNotMoving {
  readonly kind:
    | 'ended'
    | 'paused'
    | 'lease'
    | 'timer'
    | 'person'
    | 'update'
    | 'script'
    | 'child'
    | 'limit'
    | 'no_worker'
    | 'backlog'
    | 'unknown';
  readonly reference?: string;
  readonly holder?: string;
  readonly taskType?: string;
  readonly since?: number;
  readonly until?: number;
  readonly at?: number;
  /** Tasks of its type that come first; 10,000 is that or more. */
  readonly ahead?: number;
  readonly nextCheckAt?: number;
  readonly childWorkflowId?: string;
}

/** It may still change by itself. */
export const isOpen = ({ status }: Pick<WorkflowSummary, 'status'>): boolean =>
  status === 'RUNNING' || status === 'PAUSED';

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor?: string;
}

export interface Principal {
  readonly id: string;
  readonly name: string;
  readonly email?: string;
  readonly roles: readonly string[];
  /** What they may do in one review queue, or for one group, only. */
  readonly grants: readonly { readonly role: string; readonly scope: string }[];
}

/** The server said no; `detail` is its sentence for people. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly code: string | undefined,
    /** What is wrong with which field, such as `form.ticket`. */
    readonly fields: readonly { readonly path: string; readonly message: string }[] = [],
  ) {
    super(detail);
  }
}

/** Conductor's JSON says 0 for a time that has not come. */
export const moment = (at: number | undefined): number | undefined =>
  at === undefined || at === 0 ? undefined : at;

/** Calls our own API. @throws ApiError with the server's sentence; status 0 when it cannot be reached. */
export async function call<T>(path: string, init: { method?: string; body?: unknown } = {}): Promise<T> {
  const request: RequestInit = {
    method: init.method ?? 'GET',
    credentials: 'same-origin',
    headers: { accept: 'application/json' },
  };
  if (init.body !== undefined) {
    request.body = JSON.stringify(init.body);
    request.headers = { accept: 'application/json', 'content-type': 'application/json' };
  }
  return answerOf<T>(path, request);
}

/** Sends a file's bytes as they are. @throws as {@link call} does. */
export const sendFile = <T>(path: string, file: Blob): Promise<T> =>
  answerOf<T>(path, {
    method: 'POST',
    credentials: 'same-origin',
    headers: { accept: 'application/json', 'content-type': 'application/octet-stream' },
    body: file,
  });

async function answerOf<T>(path: string, request: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, request);
  } catch (error) {
    throw new ApiError(0, 'The service does not answer. It may be restarting.', (error as Error).name);
  }
  const text = await response.text();
  if (!response.ok) throw toError(response.status, text);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

function toError(status: number, text: string): ApiError {
  try {
    const body = JSON.parse(text) as {
      detail?: string;
      message?: string;
      code?: string;
      errors?: ApiError['fields'];
    };
    return new ApiError(
      status,
      body.detail ?? body.message ?? `The service answered ${status}.`,
      body.code,
      body.errors,
    );
  } catch {
    // Not our own error body: a proxy in between, most likely.
    return new ApiError(status, `The service answered ${status}.`, undefined);
  }
}
