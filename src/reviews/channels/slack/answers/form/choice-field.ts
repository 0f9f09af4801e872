import type { PlainTextOption } from '@slack/types';
import { INPUT_ACTION, option } from '../../block-kit.js';
import { Undrawable, type Choosable, type Drawn, type Property } from './drawn.js';

const RADIO_OPTIONS = 5;
const CHECKBOX_OPTIONS = 10;
const SELECT_OPTIONS = 100;

interface Choice {
  readonly value: Choosable;
  readonly label: string;
}

/**
 * What can be chosen where only some values are allowed: `enum`, or `oneOf` with a constant and its title each. Undefined
 * where any value of a type is.
 *
 * @throws Undrawable
 */
export function choicesOf(property: Property): readonly Choice[] | undefined {
  const { enum: allowed } = property;
  if (Array.isArray(allowed))
    return allowed.map((value) => ({ value: choosable(value), label: String(value) }));
  for (const several of [property['oneOf'], property['anyOf']]) {
    if (!Array.isArray(several) || several.length === 0) continue;
    if (!several.every((one) => isConstant(one))) continue;
    return several.map(({ const: value, title }) => ({
      value: choosable(value),
      label: typeof title === 'string' ? title : String(value),
    }));
  }
  return undefined;
}

/** @param several of them may be chosen, `most` at once. */
export function choiceField(
  choices: readonly Choice[],
  initial: unknown,
  several?: { readonly most: unknown },
): Drawn {
  const values = choices.map(({ value }) => value);
  const options = optionsOf(choices);
  if (several === undefined) {
    const at = values.findIndex((value) => value === initial);
    return {
      kind: 'choice',
      options: values,
      initial: at < 0 ? undefined : initial,
      element: {
        type: options.length <= RADIO_OPTIONS ? 'radio_buttons' : 'static_select',
        action_id: INPUT_ACTION,
        options,
        ...(at < 0 ? {} : { initial_option: options[at] }),
      },
    };
  }
  const chosen = Array.isArray(initial) ? values.filter((value) => initial.includes(value)) : [];
  const first = options.filter((_, n) => chosen.includes(values[n] as Choosable));
  const common = {
    action_id: INPUT_ACTION,
    options,
    ...(first.length === 0 ? {} : { initial_options: first }),
  };
  const most = Number.isInteger(several.most) && Number(several.most) > 0 ? Number(several.most) : undefined;
  return {
    kind: 'choices',
    options: values,
    initial: chosen.length === 0 ? undefined : chosen,
    element:
      options.length <= CHECKBOX_OPTIONS
        ? { type: 'checkboxes', ...common }
        : {
            type: 'multi_static_select',
            ...common,
            ...(most === undefined || first.length > most ? {} : { max_selected_items: most }),
          },
  };
}

function optionsOf(choices: readonly Choice[]): PlainTextOption[] {
  if (choices.length === 0) throw new Undrawable('has nothing to choose from');
  if (choices.length > SELECT_OPTIONS)
    throw new Undrawable(`has ${choices.length} options, more than ${SELECT_OPTIONS}`);
  const options = choices.map(({ label }, n) => option(String(n), label.trim() === '' ? '(empty)' : label));
  if (new Set(options.map(({ text }) => text.text)).size < options.length)
    throw new Undrawable('has options that look the same when they are shortened');
  return options;
}

const isConstant = (one: unknown): one is { const: unknown; title?: unknown } =>
  typeof one === 'object' && one !== null && Object.hasOwn(one, 'const');

function choosable(value: unknown): Choosable {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  throw new Undrawable('has options that are no plain values');
}
