import { z } from 'zod';
import { PAYLOAD_TYPES } from '../execution-store.js';
import { MAX_VERSION } from '../model/definition.js';
import { TASK_STATUSES, WORKFLOW_STATUSES } from '../model/execution.js';
import type { JsonObject } from '../model/json.js';

/*
 * What clients send on Conductor's paths. Unknown properties are ignored and nulls count as absent, as there; what
 * changes the meaning of a request and is not available is refused by name.
 */

const isStorable = (value: string): boolean => !value.includes('\u0000') && value.isWellFormed();

export const text = (max: number) =>
  z.string().max(max).refine(isStorable, 'must not contain NUL or lone surrogates');

const absent = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value): z.output<T> | undefined => value ?? undefined);

// The body came through the JSON parser, which refuses what cannot be stored: looking at every value again costs time.
const object = z.record(z.string(), z.any()) as z.ZodType<JsonObject>;

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

const notAvailable = (what: string) => z.unknown().refine(isEmpty, `${what} is not available yet`).optional();

export const Id = text(255).min(1);

/** A map of input or output; an absent body is an empty one. */
export const Payload = object.nullish().transform((value): JsonObject => value ?? {});

/** Also 0: some SDKs send it for "the newest". */
const version = absent(z.int().min(0).max(MAX_VERSION)).transform((value) =>
  value === 0 ? undefined : value,
);
const priority = absent(z.int().min(0).max(99));

/** Issued by externalstoragelocation; SDKs send an empty one for none. */
const storagePath = absent(text(255)).transform((path) => (path === '' ? undefined : path));

/** What Conductor's SDKs ask before they put a value beside a request, or get one. */
export const LocationQuery = z
  .object({
    path: text(255).default(''),
    operation: z
      .string()
      .toUpperCase()
      .pipe(z.enum(['READ', 'WRITE'])),
    payloadType: z.string().toUpperCase().pipe(z.enum(PAYLOAD_TYPES)),
  })
  .refine(({ path, operation }) => operation === 'WRITE' || path !== '', {
    path: ['path'],
    message: 'says which payload to read',
  });

const IDEMPOTENCY_STRATEGIES = ['RETURN_EXISTING', 'FAIL'] as const;

export const StartBody = z
  .object({
    name: Id,
    version,
    correlationId: absent(text(255)),
    input: absent(object),
    priority,
    createdBy: absent(text(255)),
    idempotencyKey: absent(text(255)),
    idempotencyStrategy: absent(
      z.enum(IDEMPOTENCY_STRATEGIES, `is not available; there are ${IDEMPOTENCY_STRATEGIES.join(' and ')}`),
    ),
    /** W3C's; goes before the header of the same name. */
    traceparent: absent(text(255)),
    workflowDef: notAvailable('starting a definition that is not registered'),
    taskToDomain: notAvailable('task domains'),
    externalInputPayloadStoragePath: storagePath,
  })
  .meta({ id: 'StartWorkflowRequest' });

/** The path says which definition; what the body says of it does not count. */
export const ExecuteBody = StartBody.extend({ name: absent(Id) }).nullish();

/** In a path or a query, where every number is a text; says the same whatever is wrong with it, and once. */
const wholeNumber = (min: number, max?: number, tooLarge?: string) => {
  const range = max === undefined ? `, at least ${min}` : ` from ${min} to ${max}`;
  const wrong = { error: `must be a whole number${range}`, abort: true };
  const number = z.coerce.number(wrong.error).int(wrong).min(min, wrong);
  return max === undefined ? number : number.max(max, tooLarge ?? wrong.error);
};
/** In any case, as Conductor takes them: its Python SDK says `True`. */
const flag = (fallback: boolean) =>
  z
    .string()
    .transform((value) => value.toLowerCase())
    .pipe(z.enum(['true', 'false']))
    .transform((value) => value === 'true')
    .default(fallback);

export const StartQuery = z.object({
  version: wholeNumber(0, MAX_VERSION)
    .optional()
    .transform((value) => (value === 0 ? undefined : value)),
  correlationId: text(255).optional(),
  priority: wholeNumber(0, 99).optional(),
});

/** A connection on which nothing happens for longer would be cut. */
const MAX_WAIT_SECONDS = 60;

export const RETURN_STRATEGIES = [
  'TARGET_WORKFLOW',
  'BLOCKING_WORKFLOW',
  'BLOCKING_TASK',
  'BLOCKING_TASK_INPUT',
] as const;

export const ExecuteQuery = z.object({
  requestId: text(255).default(''),
  /** Reference names, by comma. */
  waitUntilTaskRef: text(4_000)
    .default('')
    .transform((value) =>
      value
        .split(',')
        .map((one) => one.trim())
        .filter(Boolean),
    ),
  waitForSeconds: wholeNumber(
    0,
    MAX_WAIT_SECONDS,
    `must be at most ${MAX_WAIT_SECONDS}; start it and look at it later instead`,
  ).default(10),
  // Everything here is durable.
  consistency: z.enum(['DURABLE', 'SYNCHRONOUS', 'REGION_DURABLE']).default('DURABLE'),
  returnStrategy: z.enum(RETURN_STRATEGIES).default('TARGET_WORKFLOW'),
});

export const GetQuery = z.object({ includeTasks: flag(true) });
export const StatusQuery = z.object({ includeOutput: flag(false), includeVariables: flag(false) });
export const ReasonQuery = z.object({ reason: text(10_000).default('') });

/** A parameter that may be repeated. */
const list = <T extends z.ZodType>(schema: T, error: string) =>
  z.union([schema.transform((value) => [value]), z.array(schema)], error).optional();

export const TasksQuery = z.object({
  start: wholeNumber(0).default(0),
  count: wholeNumber(1, 5_000).default(15),
  status: list(z.enum(TASK_STATUSES), `must be one of ${TASK_STATUSES.join(', ')}`),
});

export const SearchQuery = z.object({
  start: wholeNumber(0, 10_000).default(0),
  size: wholeNumber(1, 5_000).default(100),
  freeText: text(1_000).default('*'),
  query: text(4_000).default(''),
});

export const PollQuery = z.object({
  workerid: text(255).default(''),
  domain: text(255).optional(),
});

export const BatchPollQuery = PollQuery.extend({
  count: wholeNumber(1, 1_000).default(1),
  timeout: wholeNumber(0, 5_000, 'Long poll timeout must be at most 5000 ms').default(100),
});

const REPORTED = [
  'IN_PROGRESS',
  'COMPLETED',
  'COMPLETED_WITH_ERRORS',
  'FAILED',
  'FAILED_WITH_TERMINAL_ERROR',
] as const;

export const Reported = z.enum(REPORTED);

const logLine = z.union([text(100_000), z.object({ log: text(100_000) }).transform(({ log }) => log)]);

const reportFields = {
  status: absent(Reported),
  outputData: absent(object),
  reasonForIncompletion: absent(text(10_000)),
  callbackAfterSeconds: absent(z.number().min(0)),
  workerId: absent(text(255)),
  logs: absent(z.array(logLine).max(1_000)),
  extendLease: absent(z.boolean()),
};
/** A status, or the extension of a lease. */
const saysSomething = (
  { status, extendLease }: { status: unknown; extendLease: boolean | undefined },
  context: z.core.$RefinementCtx,
): void => {
  if (status !== undefined || extendLease === true) return;
  context.addIssue({
    code: 'custom',
    path: ['status'],
    message: `must be one of ${REPORTED.join(', ')}`,
  });
};

export const TaskResultBody = z
  .object({
    workflowInstanceId: Id,
    taskId: Id,
    ...reportFields,
    externalOutputPayloadStoragePath: storagePath,
  })
  .superRefine(saysSomething)
  .meta({ id: 'TaskResult' });

export const TaskReportBody = z
  .object({
    /** Saves a look-up. */
    workflowInstanceId: absent(Id),
    ...reportFields,
    /** The `pollCount` of the task as it was handed out: a report that rests on another one is late. */
    lease: absent(z.int().min(0)),
    /** Of this task: the same id again changes nothing and is answered as before. */
    commandId: absent(Id),
  })
  .superRefine(saysSomething)
  .meta({ id: 'TaskReport' });

export const UpdateQuery = z.object({ workerid: text(255).optional() });
export const QueueSizesQuery = z.object({
  taskType: list(text(255), 'must be at most 255 characters, without NUL and lone surrogates'),
});
export const PollDataQuery = z.object({ taskType: text(255) });
export const LogBody = z.string().min(1).refine(isStorable, 'must not contain NUL or lone surrogates');

export const OverwriteQuery = z.object({ overwrite: flag(false) });
export const VersionQuery = z.object({ version: wholeNumber(1, MAX_VERSION).optional() });
/** 0 is the newest. */
export const ExecuteVersion = wholeNumber(0, MAX_VERSION);
export const VersionParam = wholeNumber(1, MAX_VERSION);

/** Milliseconds since the epoch, or an ISO date and time. */
const moment = z.union(
  [wholeNumber(0), z.iso.datetime({ offset: true }).transform((value) => Date.parse(value))],
  'must be milliseconds since the epoch, or an ISO date and time with its zone',
);

export const ExecutionsQuery = z.object({
  /** One or more, by comma. */
  status: z
    .string()
    .transform((value) => value.split(','))
    .pipe(z.array(z.enum(WORKFLOW_STATUSES)).min(1))
    .optional(),
  name: text(255).optional(),
  correlationId: text(255).optional(),
  from: moment.optional(),
  to: moment.optional(),
  limit: wholeNumber(1, 500).default(50),
  cursor: text(1_000).optional(),
});
