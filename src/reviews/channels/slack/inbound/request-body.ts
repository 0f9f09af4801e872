import { InvalidInput } from '../../../../errors.js';
import { textOf } from '../../../../http/json-body.js';

/*
 * Bodies as Slack posts them. They are read only once the signature fits, so what is wrong with one is no stranger's doing.
 */

/** The fields of a form, as of a slash command. */
export const fieldsOf = (rawBody: Buffer): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(textOf(rawBody)));

/** The JSON in the one field of an interaction. @throws InvalidInput */
export function interactionOf(rawBody: Buffer): unknown {
  const { payload } = fieldsOf(rawBody);
  if (payload === undefined) throw InvalidInput.field('body.payload', 'is missing');
  return jsonOf(payload, 'body.payload');
}

/** @throws InvalidInput */
export const eventOf = (rawBody: Buffer): unknown => jsonOf(textOf(rawBody), 'body');

function jsonOf(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw InvalidInput.field(path, 'is no valid JSON', { cause: error });
  }
}
