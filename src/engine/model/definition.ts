import { z } from 'zod';
import type { Json, JsonObject } from './json.js';

/*
 * The definition language is Conductor's: same names, same defaults (conductor-oss/conductor, common/metadata).
 * Unknown properties are ignored on input, as Conductor does; nulls count as absent.
 */

const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), z.json());

/** Text that PostgreSQL can store: no NUL and no lone surrogate. */
const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((s) => !s.includes('\u0000') && s.isWellFormed(), 'must not contain NUL or lone surrogates');

/** What PostgreSQL's integer holds; no honest definition has so many versions. */
export const MAX_VERSION = 2 ** 31 - 1;

/** What Conductor's clients hold in an int, about 68 years: whoever writes more has mistaken the unit. */
export const MAX_SECONDS = 2 ** 31 - 1;
const MAX_MS = 2 ** 31 - 1;

const TOO_MANY_SECONDS = `must be at most ${MAX_SECONDS} seconds (68 years); check the unit`;
/** A time to wait. */
const delaySeconds = () => z.number().min(0).max(MAX_SECONDS, TOO_MANY_SECONDS);
/** A time after which something is given up; 0 means never. */
const timeoutSeconds = () =>
  z.number().min(0).max(MAX_SECONDS, `${TOO_MANY_SECONDS}, or write 0 for no limit`);

/** Seconds in whole milliseconds, within what any row can hold: definitions stored long ago have no maximum. */
export const boundedMs = (seconds: number): number => Math.ceil(Math.min(seconds, MAX_SECONDS) * 1000);

export const TimeoutPolicy = z.enum(['RETRY', 'TIME_OUT_WF', 'ALERT_ONLY']);
export const RetryLogic = z.enum(['FIXED', 'EXPONENTIAL_BACKOFF', 'LINEAR_BACKOFF']);

/** How a worker's task is retried and timed out. Times are in seconds unless the name says otherwise; 0 means off. */
export const TaskDef = z
  .object({
    name: text(255).min(1),
    description: text(10_000).optional(),
    retryCount: z.int().min(0).max(1000).default(3),
    retryLogic: RetryLogic.default('FIXED'),
    retryDelaySeconds: delaySeconds().default(60),
    backoffScaleFactor: z.int().min(1).default(1),
    maxRetryDelaySeconds: timeoutSeconds().default(0),
    backoffJitterMs: z
      .int()
      .min(0)
      .max(MAX_MS, `must be at most ${MAX_MS} milliseconds (24 days); check the unit`)
      .default(0),
    timeoutSeconds: timeoutSeconds().default(0),
    timeoutPolicy: TimeoutPolicy.default('TIME_OUT_WF'),
    responseTimeoutSeconds: timeoutSeconds().default(3600),
    pollTimeoutSeconds: timeoutSeconds().optional(),
    totalTimeoutSeconds: timeoutSeconds().default(0),
    concurrentExecLimit: z.int().min(0).optional(),
    rateLimitPerFrequency: z.int().min(0).optional(),
    rateLimitFrequencyInSeconds: z.int().min(1).max(MAX_SECONDS, TOO_MANY_SECONDS).optional(),
    inputKeys: z.array(text(255)).default([]),
    outputKeys: z.array(text(255)).default([]),
    inputTemplate: jsonObject.default({}),
    ownerEmail: text(320).optional(),
    createTime: z.number().optional(),
    updateTime: z.number().optional(),
  })
  .meta({ id: 'TaskDef' });
export type TaskDef = z.infer<typeof TaskDef>;

/** Which workflow a SUB_WORKFLOW task starts; Conductor's SubWorkflowParams. */
export interface SubWorkflowParam {
  /** May hold expressions. */
  readonly name: string;
  /** The newest when absent or 0. */
  readonly version?: number | undefined;
  /** Instead of a registered one: a definition, or the expression that gives one. */
  readonly workflowDefinition?: WorkflowDef | string | undefined;
}

/** A step in a definition; Conductor's WorkflowTask. */
export interface WorkflowTask {
  readonly name: string;
  readonly taskReferenceName: string;
  readonly type: string;
  readonly description?: string | undefined;
  readonly inputParameters: { readonly [key: string]: Json };
  readonly optional: boolean;
  readonly asyncComplete: boolean;
  /** Overrides TaskDef.retryCount. */
  readonly retryCount?: number | undefined;
  /** Seconds. */
  readonly startDelay: number;
  /** SWITCH: `value-param` reads the input key that `expression` names. */
  readonly evaluatorType?: string | undefined;
  readonly expression?: string | undefined;
  readonly decisionCases: { readonly [value: string]: readonly WorkflowTask[] };
  readonly defaultCase: readonly WorkflowTask[];
  readonly forkTasks: readonly (readonly WorkflowTask[])[];
  readonly joinOn: readonly string[];
  readonly taskDefinition?: TaskDef | undefined;
  readonly permissive: boolean;
  readonly subWorkflowParam?: SubWorkflowParam | undefined;
  /** DO_WHILE: the steps of one iteration. */
  readonly loopOver?: readonly WorkflowTask[] | undefined;
  /** DO_WHILE: JavaScript; true, or a number above 0, for another iteration. */
  readonly loopCondition?: string | undefined;
  /** DO_WHILE: one iteration per item; a list or the expression that gives one. */
  readonly items?: Json | undefined;
}

export const WorkflowTask: z.ZodType<WorkflowTask> = z
  .object({
    name: text(255).min(1),
    taskReferenceName: text(255).min(1),
    type: text(64).default('SIMPLE'),
    description: text(10_000).optional(),
    inputParameters: jsonObject.default({}),
    optional: z.boolean().default(false),
    asyncComplete: z.boolean().default(false),
    retryCount: z.int().min(0).max(1000).optional(),
    startDelay: delaySeconds().default(0),
    evaluatorType: text(64).optional(),
    expression: text(100_000).optional(),
    get decisionCases() {
      return z.record(z.string(), z.array(WorkflowTask)).default({});
    },
    get defaultCase() {
      return z.array(WorkflowTask).default([]);
    },
    get forkTasks() {
      return z.array(z.array(WorkflowTask)).default([]);
    },
    joinOn: z.array(text(255)).default([]),
    taskDefinition: TaskDef.optional(),
    permissive: z.boolean().default(false),
    get subWorkflowParam() {
      return SubWorkflowParam.optional();
    },
    get loopOver() {
      return z.array(WorkflowTask).optional();
    },
    loopCondition: text(100_000).optional(),
    items: z.json().optional(),
  })
  .meta({ id: 'WorkflowTask' });

export const WorkflowDef = z
  .object({
    name: text(255)
      .min(1)
      .regex(/^[A-Za-z0-9_<>{}#\s-]+$/, 'may hold letters, digits, spaces and _ < > { } # -'),
    version: z.int().min(1).max(MAX_VERSION).default(1),
    description: text(10_000).optional(),
    tasks: z.array(WorkflowTask).min(1),
    inputParameters: z.array(text(255)).default([]),
    outputParameters: jsonObject.default({}),
    inputTemplate: jsonObject.default({}),
    variables: jsonObject.default({}),
    failureWorkflow: text(255).optional(),
    failureWorkflowVersion: z.int().min(1).max(MAX_VERSION).optional(),
    schemaVersion: z.literal(2).default(2),
    restartable: z.boolean().default(true),
    ownerEmail: text(320).optional(),
    timeoutPolicy: z.enum(['TIME_OUT_WF', 'ALERT_ONLY']).default('ALERT_ONLY'),
    timeoutSeconds: timeoutSeconds().default(0),
    metadata: jsonObject.default({}),
    createTime: z.number().optional(),
    updateTime: z.number().optional(),
  })
  .meta({ id: 'WorkflowDef' });
export type WorkflowDef = z.infer<typeof WorkflowDef>;

const SubWorkflowParam: z.ZodType<SubWorkflowParam> = z
  .object({
    name: text(255).default(''),
    version: z.int().min(0).max(MAX_VERSION).optional(),
    workflowDefinition: z.union([text(100_000), WorkflowDef]).optional(),
  })
  .meta({ id: 'SubWorkflowParam' });
