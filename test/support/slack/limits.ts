import { Complaints, lengthOf, type Block } from './limits-text.js';
import { actionElements, elementProblems, inputElements } from './limits-elements.js';
import { richTextProblems } from './limits-rich-text.js';

/*
 * Slack's limits on what a message or a view may hold, as published, and the one on a whole message that is not.
 */

/** Characters of all texts of a message, above which Slack answers msg_blocks_too_long. It is not documented. */
export const MAX_TEXT_OF_MESSAGE = 13_200;

/** Bytes of a view, above which Slack answers view_too_large. */
export const MAX_VIEW_BYTES = 250 * 1024;

/** Every rule that the blocks break; empty when Slack would take them. */
export function blockProblems(blocks: unknown, where: 'message' | 'view'): string[] {
  const problems = shapeProblems(blocks, where);
  const total = textLength(blocks);
  if (where === 'message' && total > MAX_TEXT_OF_MESSAGE)
    problems.push(`blocks: ${total} characters in all > ${MAX_TEXT_OF_MESSAGE}`);
  return problems;
}

/** Every rule but the one on the whole message. */
export function shapeProblems(blocks: unknown, where: 'message' | 'view'): string[] {
  if (!Array.isArray(blocks)) return ['blocks: not an array'];
  const complaints = new Complaints();
  const max = where === 'message' ? 50 : 100;
  if (blocks.length > max) complaints.add(`blocks: ${blocks.length} > ${max}`);
  blocks.forEach((block, index) => oneBlock(block as Block, `blocks[${index}]`, where, complaints));
  const markdown = (blocks as Block[]).filter(({ type }) => type === 'markdown');
  const words = markdown.reduce((sum, { text }) => sum + lengthOf(text), 0);
  if (words > 12_000) complaints.add(`blocks: ${words} characters of markdown in all > 12000`);
  const ids = blocks.map((block: Block) => block['block_id']).filter((id) => id !== undefined);
  if (new Set(ids).size !== ids.length) complaints.add('blocks: block_id twice');
  return complaints.all;
}

function oneBlock(block: Block, path: string, where: 'message' | 'view', complaints: Complaints): void {
  complaints.id(block['block_id'], `${path}.block_id`);
  switch (block['type']) {
    case 'header':
      complaints.plain(block['text'], `${path}.text`, 150);
      break;
    case 'section':
      sectionProblems(block, path, complaints);
      break;
    case 'context': {
      const elements = complaints.list(block['elements'], `${path}.elements`, 10);
      elements.forEach((element, n) => {
        const at = `${path}.elements[${n}]`;
        if (element['type'] === 'image') elementProblems(element, at, complaints);
        else complaints.text(element, at, 2000);
      });
      break;
    }
    case 'divider':
      break;
    case 'actions':
      actionsProblems(block, path, complaints);
      break;
    case 'rich_text':
      richTextProblems(block, path, complaints);
      break;
    case 'markdown':
      if (where !== 'message') complaints.add(`${path}: markdown outside a message`);
      if (lengthOf(block['text']) === 0) complaints.add(`${path}.text: empty`);
      break;
    case 'image':
      elementProblems({ ...block, type: 'image' }, path, complaints);
      if (block['title'] !== undefined) complaints.plain(block['title'], `${path}.title`, 2000);
      break;
    case 'input':
      if (where !== 'view') complaints.add(`${path}: an input outside a view`);
      inputProblems(block, path, complaints);
      break;
    default:
      complaints.add(`${path}.type: ${String(block['type'])}`);
  }
}

function sectionProblems(block: Block, path: string, complaints: Complaints): void {
  if (block['text'] === undefined && block['fields'] === undefined)
    complaints.add(`${path}: neither text nor fields`);
  if (block['text'] !== undefined) complaints.text(block['text'], `${path}.text`, 3000);
  if (block['fields'] !== undefined) {
    complaints
      .list(block['fields'], `${path}.fields`, 10)
      .forEach((field, n) => complaints.text(field, `${path}.fields[${n}]`, 2000));
  }
  const accessory = block['accessory'] as Block | undefined;
  if (accessory === undefined) return;
  if (accessory['type'] !== 'image' && !actionElements.has(String(accessory['type'])))
    complaints.add(`${path}.accessory.type: ${String(accessory['type'])}`);
  elementProblems(accessory, `${path}.accessory`, complaints);
}

function actionsProblems(block: Block, path: string, complaints: Complaints): void {
  const elements = complaints.list(block['elements'], `${path}.elements`, 25);
  const ids = elements.map((element) => element['action_id']).filter((id) => id !== undefined);
  if (new Set(ids).size !== ids.length) complaints.add(`${path}.elements: action_id twice`);
  elements.forEach((element, n) => {
    const at = `${path}.elements[${n}]`;
    if (!actionElements.has(String(element['type'])))
      complaints.add(`${at}.type: ${String(element['type'])}`);
    elementProblems(element, at, complaints);
  });
}

function inputProblems(block: Block, path: string, complaints: Complaints): void {
  complaints.plain(block['label'], `${path}.label`, 2000);
  if (block['hint'] !== undefined) complaints.plain(block['hint'], `${path}.hint`, 2000);
  const element = block['element'] as Block | undefined;
  if (element === undefined || !inputElements.has(String(element['type'])))
    complaints.add(`${path}.element.type: ${String(element?.['type'])}`);
  else elementProblems(element, `${path}.element`, complaints);
}

/** Every rule that a modal breaks, or the Home tab of somebody. */
export function viewProblems(view: Block): string[] {
  const problems = blockProblems(view['blocks'], 'view');
  const isHome = view['type'] === 'home';
  for (const field of ['title', 'submit', 'close']) {
    const value = view[field] as { type?: string; text?: string } | undefined;
    if (isHome && value !== undefined) problems.push(`${field}: not in a Home tab`);
    if (!isHome && field === 'title' && value?.text === undefined) problems.push('title: missing');
    if (value !== undefined && value.type !== 'plain_text') problems.push(`${field}: not plain_text`);
    if ((value?.text ?? '').length > 24) problems.push(`${field}: longer than 24`);
  }
  if (lengthOf(view['private_metadata']) > 3000) problems.push('private_metadata: longer than 3000');
  if (lengthOf(view['callback_id']) > 255) problems.push('callback_id: longer than 255');
  if (lengthOf(view['external_id']) > 255) problems.push('external_id: longer than 255');
  const blocks = Array.isArray(view['blocks']) ? (view['blocks'] as Block[]) : [];
  const needsSubmit = !isHome && blocks.some((block) => block['type'] === 'input');
  if (needsSubmit && view['submit'] === undefined) problems.push('submit: missing beside an input');
  if (Buffer.byteLength(JSON.stringify(view)) > MAX_VIEW_BYTES) problems.push('view: larger than 250 kB');
  return problems;
}

/** Characters of all texts together. */
export function textLength(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, entry) => sum + textLength(entry), 0);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce(
    (sum, [key, entry]) =>
      sum + (key === 'text' && typeof entry === 'string' ? entry.length : textLength(entry)),
    0,
  );
}
