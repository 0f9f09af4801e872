import type { FieldProblem } from '../../../errors.js';
import type { Json, JsonObject } from '../../model/json.js';
import { asText } from '../expressions.js';
import { parseDurationMs, parseUntil } from '../wait-time.js';
import type { TaskMapper } from './mapper.js';

// Conductor shows this for a WAIT that only an update ends.
const FOREVER_SECONDS = 2_147_483_647;

/** Blank counts as absent. */
function given(input: JsonObject, key: string): Json | undefined {
  const value = Object.hasOwn(input, key) ? input[key] : undefined;
  return value === null || (typeof value === 'string' && value.trim() === '') ? undefined : value;
}

const BOTH = "Both 'duration' and 'until' specified. Please provide only one input";

/** Until a time, for a time, or until somebody completes it. */
export const wait: TaskMapper = {
  type: 'WAIT',
  rowType: 'WAIT',
  isWork: true,
  handOut: 'never',
  endsWhenDue: ({ inputData }) =>
    given(inputData, 'duration') !== undefined || given(inputData, 'until') !== undefined,
  map({ input, now }) {
    const failed = (reasonForIncompletion: string) =>
      ({ status: 'FAILED_WITH_TERMINAL_ERROR', inputData: input, reasonForIncompletion }) as const;
    const duration = given(input, 'duration');
    const until = given(input, 'until');
    if (duration !== undefined && until !== undefined) return failed(BOTH);
    if (duration === undefined && until === undefined) {
      return { status: 'IN_PROGRESS', inputData: input, callbackAfterSeconds: FOREVER_SECONDS };
    }
    let dueAt: number | undefined;
    if (duration !== undefined) {
      const ms = parseDurationMs(asText(duration));
      if (ms === undefined) return failed(`Not a valid duration: ${clip(asText(duration))}`);
      dueAt = now + ms;
    } else {
      dueAt = parseUntil(asText(until));
      if (dueAt === undefined) {
        return failed(`Invalid/Unsupported Wait Until format.  Provided: ${clip(asText(until))}`);
      }
    }
    const seconds = Math.max(0, Math.floor((dueAt - now) / 1000));
    return {
      status: 'IN_PROGRESS',
      inputData: input,
      callbackAfterSeconds: Math.min(seconds, FOREVER_SECONDS),
      dueAt,
    };
  },
  check(task, path): FieldProblem[] {
    const duration = given(task.inputParameters, 'duration');
    const until = given(task.inputParameters, 'until');
    if (duration !== undefined && until !== undefined) {
      return [{ path: `${path}.inputParameters`, message: 'give either "duration" or "until", not both' }];
    }
    if (
      duration !== undefined &&
      !isExpression(duration) &&
      parseDurationMs(asText(duration)) === undefined
    ) {
      const message = 'must read like "1 days 2 hours 3 minutes 4 seconds", any part of it, in this order';
      return [{ path: `${path}.inputParameters.duration`, message }];
    }
    if (until !== undefined && !isExpression(until) && parseUntil(asText(until)) === undefined) {
      const message = 'must read like "2030-12-31", "2030-12-31 23:59" or "2030-12-31 23:59 Europe/Vienna"';
      return [{ path: `${path}.inputParameters.until`, message }];
    }
    return [];
  },
};

const isExpression = (value: Json): boolean => typeof value === 'string' && value.includes('${');
const clip = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text);
