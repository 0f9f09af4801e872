import type { InputBlock } from '@slack/types';
import { INPUT_ACTION, input } from '../../block-kit.js';
import { choiceField, choicesOf } from './choice-field.js';
import { Undrawable, type Choosable, type Drawn, type FieldKind, type Property } from './drawn.js';
import { numberElement } from './number-element.js';
import { textElement } from './text-element.js';

/** One property of a question's form, as a field of a modal. */
export interface FormField {
  readonly name: string;
  readonly blockId: string;
  readonly kind: FieldKind;
  /** What can be chosen; an option's value is its place in here. */
  readonly options: readonly Choosable[];
  /** What the field holds before anybody touches it. */
  readonly initial: unknown;
  readonly block: InputBlock;
}

const NESTED = ['$ref', '$dynamicRef', 'allOf', 'anyOf', 'oneOf', 'not', 'if'];
const FILES = new Set(['binary', 'byte', 'data-url', 'file']);
const LONGEST_NAME = 200;

/** @throws Undrawable for what Slack has no field for. */
export function formField(name: string, given: unknown, blockId: string, isNeeded: boolean): FormField {
  if (given === false) throw new Undrawable('takes no value');
  const property = (typeof given === 'object' && given !== null ? given : {}) as Property;
  const { kind, element, options = [], initial } = draw(property);
  const label = typeof property['title'] === 'string' ? property['title'] : name.slice(0, LONGEST_NAME);
  const hint = typeof property['description'] === 'string' ? property['description'] : undefined;
  // Slack calls a box that is not ticked an answer that is missing; here it is a no.
  const optional = !isNeeded || kind === 'tick';
  return { name, blockId, kind, options, initial, block: input(blockId, label, element, { hint, optional }) };
}

function draw(property: Property): Drawn {
  const choices = choicesOf(property);
  if (choices !== undefined) return choiceField(choices, property['default']);
  const nested = NESTED.find((keyword) => Object.hasOwn(property, keyword));
  if (nested !== undefined) throw new Undrawable(`is described by other schemas (${nested})`);
  if (Object.hasOwn(property, 'contentEncoding') || FILES.has(String(property['format'])))
    throw new Undrawable('asks for a file');
  const type = typeOf(property);
  switch (type) {
    case undefined:
    case 'string':
      return textElement(property);
    case 'number':
    case 'integer':
      return { kind: type, ...numberElement(property, type === 'integer') };
    case 'boolean':
      return tick(property['default'] === true);
    case 'array':
      return severalOf(property);
    default:
      throw new Undrawable(`asks for the type ${type}`);
  }
}

/** The one type beside null; undefined where any is allowed. */
function typeOf({ type }: Property): string | undefined {
  if (type === undefined) return undefined;
  const types = (Array.isArray(type) ? type : [type]).map(String).filter((one) => one !== 'null');
  if (types.length === 1) return types[0];
  throw new Undrawable(`takes values of the types ${types.join(', ').slice(0, 100)}`);
}

function tick(initial: boolean): Drawn {
  const yes = { value: '0', text: { type: 'plain_text' as const, text: 'Yes', emoji: false } };
  return {
    kind: 'tick',
    initial,
    element: {
      type: 'checkboxes',
      action_id: INPUT_ACTION,
      options: [yes],
      ...(initial ? { initial_options: [yes] } : {}),
    },
  };
}

function severalOf(property: Property): Drawn {
  const items = property['items'];
  const choices = typeof items === 'object' && items !== null ? choicesOf(items as Property) : undefined;
  if (choices === undefined) throw new Undrawable('asks for a list of values that are not given');
  return choiceField(choices, property['default'], { most: property['maxItems'] });
}
