import { randomBytes } from 'node:crypto';
import type { Json } from './refusal.js';

/** Something in a message or a view that a person can use, and the block that it stands in. */
export interface Usable {
  readonly block: Json;
  readonly element: Json;
}

const list = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : []);

/** Everything that somebody can click, choose or fill, in the order in which it is shown. */
export function usablesOf(blocks: readonly Json[]): Usable[] {
  return blocks.flatMap((block) => {
    if (block['type'] === 'actions' || block['type'] === 'context_actions')
      return list(block['elements']).map((element) => ({ block, element }));
    const inner = block['type'] === 'input' ? block['element'] : block['accessory'];
    return inner === undefined ? [] : [{ block, element: inner as Json }];
  });
}

/** All buttons of a message or a view. */
export const buttonsOf = (blocks: readonly Json[]): Json[] =>
  usablesOf(blocks)
    .map(({ element }) => element)
    .filter((element) => element['type'] === 'button');

/** All text that people see of blocks, one piece per line. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join('\n');
  if (typeof value !== 'object' || value === null) return '';
  return Object.entries(value)
    .map(([key, entry]) => (key === 'text' && typeof entry === 'string' ? entry : textOf(entry)))
    .filter((text) => text !== '')
    .join('\n');
}

const shortId = (): string => randomBytes(3).toString('base64url');

/** The blocks as Slack keeps them: each block and everything usable gets an id when it came without one. */
export function named(blocks: readonly Json[]): Json[] {
  const element = (one: Json): Json =>
    one['type'] === 'image' ? one : { ...one, action_id: one['action_id'] ?? shortId() };
  return blocks.map((block) => ({
    ...block,
    block_id: block['block_id'] ?? shortId(),
    ...(block['type'] === 'actions' ? { elements: list(block['elements']).map(element) } : {}),
    ...(block['accessory'] === undefined ? {} : { accessory: element(block['accessory'] as Json) }),
    ...(block['type'] === 'input' ? { element: element(block['element'] as Json) } : {}),
  }));
}
