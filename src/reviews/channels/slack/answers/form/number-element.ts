import { INPUT_ACTION } from '../../block-kit.js';
import { Undrawable, type Drawn, type Property } from './drawn.js';

// What Slack surely reads: its documentation names no limit, and powers of ten are none of its numbers.
const READABLE = /^-?\d{1,15}(\.\d{1,10})?$/;

/** A number. The server is the judge of what is typed; bounds that Slack cannot read are left to it alone. */
export function numberElement(property: Property, isWhole: boolean): Omit<Drawn, 'kind'> {
  const low = boundOf(property['minimum'], property['exclusiveMinimum'], isWhole ? 1 : 0);
  const high = boundOf(property['maximum'], property['exclusiveMaximum'], isWhole ? -1 : 0);
  if (low !== undefined && high !== undefined && low > high) throw new Undrawable('takes no number');
  const given = property['default'];
  const initial =
    typeof given === 'number' &&
    READABLE.test(String(given)) &&
    given >= (low ?? given) &&
    given <= (high ?? given) &&
    (!isWhole || Number.isInteger(given))
      ? given
      : undefined;
  return {
    initial,
    element: {
      type: 'number_input',
      action_id: INPUT_ACTION,
      is_decimal_allowed: !isWhole,
      ...(low === undefined ? {} : { min_value: String(low) }),
      ...(high === undefined ? {} : { max_value: String(high) }),
      ...(initial === undefined ? {} : { initial_value: String(initial) }),
    },
  };
}

/** @param step from what is excluded to the next number; 0 where there is none. */
function boundOf(inclusive: unknown, exclusive: unknown, step: number): number | undefined {
  const bounds: number[] = [];
  if (typeof inclusive === 'number')
    bounds.push(step > 0 ? Math.ceil(inclusive) : step < 0 ? Math.floor(inclusive) : inclusive);
  // The next whole number; of others there is no next, and the server says so.
  if (typeof exclusive === 'number')
    bounds.push(step > 0 ? Math.floor(exclusive) + 1 : step < 0 ? Math.ceil(exclusive) - 1 : exclusive);
  const readable = bounds.filter((bound) => READABLE.test(String(bound)));
  if (readable.length === 0) return undefined;
  return step < 0 ? Math.min(...readable) : Math.max(...readable);
}
