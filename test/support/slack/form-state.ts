import { isSeconds } from './limits-elements.js';
import { usablesOf, type Usable } from './blocks.js';
import type { Json } from './refusal.js';
import type { View } from './views.js';

/** What a person puts into one field: text, the value of an option, several of them, a number, a date. */
export type FormValue = string | number | boolean | null | readonly string[];
/** By block_id and action_id. */
export type FormValues = Readonly<Record<string, Readonly<Record<string, FormValue>>>>;

/** What Slack's own window says instead of sending the form. */
export class NotSent extends Error {
  override readonly name = 'NotSent';

  constructor(
    /** By block_id. */
    readonly problems: Readonly<Record<string, string>>,
  ) {
    super(
      `Slack would not send this form: ${Object.entries(problems)
        .map(([block, problem]) => `${block}: ${problem}`)
        .join('; ')}`,
    );
  }
}

/** The state of a form that somebody filled. @throws NotSent for what Slack's window refuses by itself. */
export function filled(view: View, values: FormValues): Json {
  const inputs = usablesOf(view['blocks'] as Json[]);
  refuseUnknown(inputs, values);
  const kept = (view['state'] as { values?: Record<string, Json> } | undefined)?.values ?? {};
  const problems: Record<string, string> = {};
  const state: Record<string, Json> = {};
  for (const { block, element } of inputs) {
    if (element['type'] === 'button' || element['type'] === 'overflow') continue;
    const blockId = String(block['block_id']);
    const actionId = String(element['action_id']);
    const given = values[blockId]?.[actionId];
    try {
      const answer =
        given === undefined
          ? ((kept[blockId]?.[actionId] as Json | undefined) ?? initialOf(element))
          : answerOf(element, given);
      if (block['type'] === 'input' && block['optional'] !== true && isEmpty(answer))
        throw new Problem('please complete this required field');
      state[blockId] = { ...state[blockId], [actionId]: answer };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      problems[blockId] = error.message;
    }
  }
  if (Object.keys(problems).length > 0) throw new NotSent(problems);
  return state;
}

/** What somebody's choice or entry looks like in an interaction. */
export function answerOf(element: Json, value: FormValue): Json {
  const type = String(element['type']);
  switch (type) {
    case 'plain_text_input':
      return { type, value: textIn(element, value) };
    case 'email_text_input':
      return { type, value: matching(value, /^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'not an address of mail') };
    case 'url_text_input':
      return { type, value: matching(value, /^https?:\/\/\S+$/, 'not an address on the web') };
    case 'number_input':
      return { type, value: numberIn(element, value) };
    case 'static_select':
    case 'external_select':
    case 'radio_buttons':
    case 'overflow':
      return { type, selected_option: value === null ? null : optionOf(element, value) };
    case 'checkboxes':
    case 'multi_static_select':
      return { type, selected_options: optionsOf(element, value) };
    case 'datepicker':
      return { type, selected_date: matching(value, /^\d{4}-\d\d-\d\d$/, 'not a date') };
    case 'timepicker':
      return { type, selected_time: matching(value, /^\d\d:\d\d$/, 'not a time') };
    case 'datetimepicker':
      return { type, selected_date_time: secondsIn(value) };
    case 'users_select':
      return { type, selected_user: value };
    case 'multi_users_select':
      return { type, selected_users: value ?? [] };
    case 'channels_select':
      return { type, selected_channel: value };
    case 'conversations_select':
      return { type, selected_conversation: value };
    case 'file_input':
      return { type, files: ((value ?? []) as readonly string[]).map((id) => ({ id })) };
    default:
      throw new Error(`the stand-in cannot fill ${type}`);
  }
}

/** Something that the window refuses to take. */
class Problem extends Error {}

function initialOf(element: Json): Json {
  const type = String(element['type']);
  const initial = (field: string): unknown => element[`initial_${field}`] ?? null;
  switch (type) {
    case 'static_select':
    case 'external_select':
    case 'radio_buttons':
      return { type, selected_option: initial('option') };
    case 'checkboxes':
    case 'multi_static_select':
      return { type, selected_options: element['initial_options'] ?? [] };
    case 'datepicker':
      return { type, selected_date: initial('date') };
    case 'timepicker':
      return { type, selected_time: initial('time') };
    case 'datetimepicker':
      return { type, selected_date_time: initial('date_time') };
    case 'users_select':
      return { type, selected_user: initial('user') };
    case 'multi_users_select':
      return { type, selected_users: element['initial_users'] ?? [] };
    case 'channels_select':
      return { type, selected_channel: initial('channel') };
    case 'conversations_select':
      return { type, selected_conversation: initial('conversation') };
    case 'file_input':
      return { type, files: [] };
    default:
      return { type, value: initial('value') };
  }
}

const isEmpty = (answer: Json): boolean =>
  Object.entries(answer).every(
    ([key, value]) =>
      key === 'type' || value === null || value === '' || (Array.isArray(value) && value.length === 0),
  );

function textIn(element: Json, value: FormValue): string | null {
  if (value === null || value === '') return null;
  const text = String(value);
  const min = Number(element['min_length'] ?? 0);
  const max = Number(element['max_length'] ?? 3000);
  if (text.length < min) throw new Problem(`at least ${min} characters`);
  if (text.length > max) throw new Problem(`at most ${max} characters`);
  return text;
}

function matching(value: FormValue, pattern: RegExp, problem: string): string | null {
  if (value === null || value === '') return null;
  if (!pattern.test(String(value))) throw new Problem(problem);
  return String(value);
}

/** Ten digits, as Slack takes them. */
function secondsIn(value: FormValue): number | null {
  if (value === null || value === '') return null;
  if (typeof value !== 'number' || !isSeconds(value)) throw new Problem('not a time');
  return value;
}

function numberIn(element: Json, value: FormValue): string | null {
  if (value === null || value === '') return null;
  const number = Number(value);
  if (!Number.isFinite(number)) throw new Problem('not a number');
  if (element['is_decimal_allowed'] !== true && !Number.isInteger(number))
    throw new Problem('not a whole number');
  const { min_value: min, max_value: max } = element as { min_value?: string; max_value?: string };
  if (min !== undefined && number < Number(min)) throw new Problem(`at least ${min}`);
  if (max !== undefined && number > Number(max)) throw new Problem(`at most ${max}`);
  return String(value);
}

/** All options of a menu, of its groups as well. */
export function allOptions(element: Json): Json[] {
  const groups = element['option_groups'] as Json[] | undefined;
  return (groups ?? [element]).flatMap((group) => (group['options'] as Json[] | undefined) ?? []);
}

function optionOf(element: Json, value: FormValue): Json {
  const option = allOptions(element).find((one) => one['value'] === String(value));
  if (option === undefined) throw new Problem(`${String(value)} is none of the options`);
  return option;
}

function optionsOf(element: Json, value: FormValue): Json[] {
  // One box alone is a yes or no.
  if (typeof value === 'boolean') return value ? allOptions(element).slice(0, 1) : [];
  const chosen = ((value ?? []) as readonly string[]).map((one) => optionOf(element, one));
  const most = Number(element['max_selected_items'] ?? Number.POSITIVE_INFINITY);
  if (chosen.length > most) throw new Problem(`at most ${most}`);
  return chosen;
}

function refuseUnknown(inputs: readonly Usable[], values: FormValues): void {
  for (const [blockId, actions] of Object.entries(values))
    for (const actionId of Object.keys(actions)) {
      const isThere = inputs.some(
        ({ block, element }) => block['block_id'] === blockId && element['action_id'] === actionId,
      );
      if (!isThere) throw new Error(`there is no field ${blockId}.${actionId}; Slack would not show one`);
    }
}
