import * as fc from 'fast-check';
import { WorkflowTask } from '../../../src/engine/model/definition.js';
import type { TaskDef, WorkflowDef } from '../../../src/engine/model/definition.js';
import { definition, taskDefs } from './fixtures.js';

/** The shape of a definition before its steps are named. */
type Shape =
  | {
      readonly kind: 'simple';
      readonly optional: boolean;
      readonly permissive: boolean;
      readonly def: number;
    }
  | { readonly kind: 'human' }
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'set' }
  | { readonly kind: 'terminate'; readonly status: string }
  | {
      readonly kind: 'sub';
      readonly optional: boolean;
      readonly permissive: boolean;
      readonly def: number;
      readonly delay: number;
    }
  | {
      readonly kind: 'loop';
      readonly items: number | undefined;
      readonly asks: boolean;
      readonly optional: boolean;
      readonly permissive: boolean;
      readonly keepLastN: number | undefined;
      readonly body: Shape[];
    }
  | {
      readonly kind: 'switch';
      readonly on: number | 'previous';
      readonly cases: readonly Shape[][];
      readonly otherwise: Shape[];
    }
  | {
      readonly kind: 'fork';
      readonly branches: readonly Shape[][];
      readonly awaits: 'first' | 'lasts' | 'every';
    };

export interface ShapeOptions {
  readonly permissive: boolean;
  readonly waits: boolean;
  /** What depends on the order of reports: ends that race, ways that a report chooses. */
  readonly races: boolean;
}

const shapes = ({ permissive, waits, races }: ShapeOptions): fc.Arbitrary<Shape[]> =>
  fc.letrec<{ shape: Shape; list: Shape[] }>((tie) => ({
    shape: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'shape', depthSize: 'xlarge' },
      weighed(3, {
        kind: fc.constant('simple' as const),
        ...flags(permissive),
        def: fc.nat(3),
      }),
      weighed(1, { kind: fc.constant('human' as const) }),
      weighed(2, {
        kind: fc.constant('sub' as const),
        ...flags(permissive),
        def: fc.nat(3),
        delay: waits ? fc.constantFrom(0, 0, 3) : fc.constant(0),
      }),
      weighed(1, { kind: fc.constant('set' as const) }),
      ...(races
        ? [
            weighed(1, {
              kind: fc.constant('terminate' as const),
              status: fc.constantFrom('COMPLETED', 'FAILED', 'TERMINATED'),
            }),
          ]
        : []),
      ...(waits ? [weighed(1, { kind: fc.constant('wait' as const), seconds: fc.nat(20) })] : []),
      weighed(4, {
        kind: fc.constant('loop' as const),
        items: fc.option(fc.nat(3), { nil: undefined }),
        asks: fc.boolean(),
        ...flags(permissive),
        keepLastN: fc.constantFrom(undefined, undefined, 1, 2),
        body: some(tie('shape'), 2),
      }),
      weighed(2, {
        kind: fc.constant('switch' as const),
        on: races ? fc.oneof(fc.nat(3), fc.constant('previous' as const)) : fc.nat(3),
        cases: fc.array(tie('list'), { maxLength: 3, size: 'max' }),
        otherwise: tie('list'),
      }),
      weighed(3, {
        kind: fc.constant('fork' as const),
        branches: fc.array(some(tie('shape'), 2), { minLength: 1, maxLength: 3, size: 'max' }),
        awaits: fc.constantFrom('first' as const, 'lasts' as const, 'every' as const),
      }),
    ),
    list: fc.array(tie('shape'), { maxLength: 2, size: 'max', depthIdentifier: 'shape' }),
  })).list;

const weighed = <T>(weight: number, record: { [K in keyof T]: fc.Arbitrary<T[K]> }) => ({
  weight,
  arbitrary: fc.record(record),
});

const some = (shape: fc.Arbitrary<Shape>, maxLength: number): fc.Arbitrary<Shape[]> =>
  fc.array(shape, { minLength: 1, maxLength, size: 'max', depthIdentifier: 'shape' });

/** Mostly neither, so that failures go through. */
const flags = (permissive: boolean) => ({
  optional: fc.constantFrom(false, false, false, true),
  permissive: permissive ? fc.constantFrom(false, false, false, true) : fc.constant(false),
});

type Json = { [key: string]: unknown };

/** Also those of branches that a SWITCH may never take. */
const everyRef = (steps: readonly WorkflowTask[]): string[] =>
  steps.flatMap((step) => [
    step.taskReferenceName,
    ...Object.values(step.decisionCases).flatMap(everyRef),
    ...everyRef(step.defaultCase),
    ...step.forkTasks.flatMap(everyRef),
    // Not what a loop repeats: the loop itself is waited for.
  ]);

/** Names the steps and writes the definition. Each step may read what came before it. */
function build(list: readonly Shape[], next: { ref: number }): Json[] {
  return list.flatMap((shape): Json[] => {
    const ref = `t${(next.ref += 1)}`;
    const base = { name: ref, taskReferenceName: ref };
    const previous = next.ref > 1 ? `\${t${next.ref - 1}.output.value}` : '${workflow.input.value}';
    switch (shape.kind) {
      case 'simple':
        return [
          {
            ...base,
            name: `work${shape.def}`,
            type: 'SIMPLE',
            optional: shape.optional,
            permissive: shape.permissive,
            inputParameters: { previous },
          },
        ];
      case 'human':
        return [{ ...base, type: 'HUMAN' }];
      case 'wait':
        return [{ ...base, type: 'WAIT', inputParameters: { duration: `${shape.seconds} seconds` } }];
      case 'set':
        return [{ ...base, type: 'SET_VARIABLE', inputParameters: { [ref]: 'set' } }];
      case 'terminate':
        return [
          {
            ...base,
            type: 'TERMINATE',
            inputParameters: { terminationStatus: shape.status, workflowOutput: { by: ref } },
          },
        ];
      case 'sub':
        return [
          {
            ...base,
            name: `work${shape.def}`,
            type: 'SUB_WORKFLOW',
            optional: shape.optional,
            permissive: shape.permissive,
            startDelay: shape.delay,
            inputParameters: { previous },
            subWorkflowParam: { name: 'child' },
          },
        ];
      case 'loop':
        return [
          {
            ...base,
            type: 'DO_WHILE',
            optional: shape.optional,
            permissive: shape.permissive,
            inputParameters: { previous, keepLastN: shape.keepLastN ?? null },
            // All of it, so that the condition sees what earlier iterations gave.
            loopCondition: shape.asks || shape.items === undefined ? 'more($)' : undefined,
            items:
              shape.items === undefined
                ? undefined
                : Array.from({ length: shape.items }, (_, i) => `item ${i}`),
            loopOver: build(shape.body, next),
          },
        ];
      case 'switch':
        return [
          {
            ...base,
            type: 'SWITCH',
            evaluatorType: 'value-param',
            expression: 'on',
            inputParameters: { on: shape.on === 'previous' ? previous : shape.on },
            decisionCases: Object.fromEntries(shape.cases.map((steps, i) => [String(i), build(steps, next)])),
            defaultCase: build(shape.otherwise, next),
          },
        ];
      case 'fork': {
        const branches = shape.branches.map((steps) => build(steps, next));
        const lasts = branches.map((steps) => String(steps.at(-1)?.['taskReferenceName']));
        return [
          { ...base, type: 'FORK_JOIN', forkTasks: branches },
          {
            name: `${ref}j`,
            taskReferenceName: `${ref}j`,
            type: 'JOIN',
            joinOn: {
              first: lasts.slice(0, 1),
              lasts,
              every: everyRef(branches.flat().map((one) => WorkflowTask.parse(one))),
            }[shape.awaits],
          },
        ];
      }
      default:
        return shape satisfies never;
    }
  });
}

export const definitions = (options: ShapeOptions, more: Json = {}): fc.Arbitrary<WorkflowDef> =>
  fc
    .tuple(shapes(options), shapes(options), shapes(options))
    .map((lists) => lists.flat())
    .filter((list) => list.length > 0)
    .map((list) => definition(build(list, { ref: 0 }), more));

/** Rules for work0..work3 without any clock. */
export const timelessTaskDefs: fc.Arbitrary<ReadonlyMap<string, TaskDef>> = fc
  .array(fc.nat(2), { minLength: 4, maxLength: 4 })
  .map((retries) =>
    taskDefs(
      ...retries.map((retryCount, i) => ({
        name: `work${i}`,
        retryCount,
        retryDelaySeconds: 0,
        responseTimeoutSeconds: 0,
      })),
    ),
  );

/** Rules for work0..work3 with every clock there is. */
export const timedTaskDefs: fc.Arbitrary<ReadonlyMap<string, TaskDef>> = fc
  .array(
    fc.record({
      retryCount: fc.nat(2),
      retryLogic: fc.constantFrom('FIXED', 'EXPONENTIAL_BACKOFF', 'LINEAR_BACKOFF'),
      retryDelaySeconds: fc.nat(5),
      backoffJitterMs: fc.constantFrom(0, 700),
      timeoutSeconds: fc.constantFrom(0, 0, 5, 30),
      responseTimeoutSeconds: fc.constantFrom(0, 3, 10),
      pollTimeoutSeconds: fc.constantFrom(0, 0, 4),
      totalTimeoutSeconds: fc.constantFrom(0, 0, 12),
      timeoutPolicy: fc.constantFrom('RETRY', 'TIME_OUT_WF', 'ALERT_ONLY'),
    }),
    { minLength: 4, maxLength: 4 },
  )
  .map((defs) => taskDefs(...defs.map((def, i) => ({ ...def, name: `work${i}` }))));
