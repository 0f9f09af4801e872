import { usablesOf, type Usable } from './blocks.js';
import { answerOf, type FormValue } from './form-state.js';
import type { Json } from './refusal.js';
import type { View } from './views.js';

/** Which of several like it: two buttons of one message may share an action_id when they stand in different blocks. */
export interface Which {
  readonly value?: string | undefined;
  readonly block?: string | undefined;
}

/** Something to click or to choose in, as somebody finds it on their screen. */
export function find(blocks: readonly Json[], actionId: string, which: Which = {}): Usable {
  const found = usablesOf(blocks).find(
    ({ block, element }) =>
      element['action_id'] === actionId &&
      (which.value === undefined || element['value'] === which.value) &&
      (which.block === undefined || block['block_id'] === which.block),
  );
  if (found === undefined) throw new Error(`there is no button ${actionId}; Slack would not show one`);
  return found;
}

export const findIn = (view: View, actionId: string, which: Which = {}): Usable =>
  find(view['blocks'] as Json[], actionId, which);

/** A click as it stands in `actions` of a payload. */
export function clicked(usable: Usable): Json {
  const { element } = usable;
  if (element['type'] !== 'button') throw new Error(`${String(element['action_id'])} is no button`);
  return {
    type: 'button',
    ...identified(usable),
    text: element['text'],
    ...(element['value'] === undefined ? {} : { value: element['value'] }),
    ...(element['style'] === undefined ? {} : { style: element['style'] }),
  };
}

/** A choice as it stands in `actions` of a payload. */
export const chosen = (usable: Usable, option: FormValue): Json => ({
  ...answerOf(usable.element, option),
  ...identified(usable),
});

const identified = ({ block, element }: Usable): Json => ({
  action_id: element['action_id'],
  block_id: block['block_id'],
  action_ts: (Date.now() / 1000).toFixed(6),
});

/** Slack shows a general failure when errors are given for blocks that are no inputs of the form. */
export function refuseErrors(errors: unknown, view: View): void {
  const inputs = new Set(
    (view['blocks'] as Json[]).filter(({ type }) => type === 'input').map((block) => block['block_id']),
  );
  const given = Object.keys(errors ?? {});
  const unknown = given.filter((block) => !inputs.has(block));
  if (given.length === 0 || unknown.length > 0)
    throw new Error(
      `Slack would show a failure: no input for the errors of ${unknown.join(', ') || 'nobody'}`,
    );
}
