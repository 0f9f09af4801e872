import { escapeHtml } from '../../../../src/outbound/safe-text.js';
import type { Json } from '../refusal.js';
import { elementHtml, type People } from './elements-html.js';
import { richTextHtml, mrkdwnHtml, textHtml, type Names } from './text-html.js';

/** What blocks are shown with: names, people to choose from, and what was filled in so far. */
export interface Setting extends Names {
  readonly people: People;
  /** `values` of the state of a view. */
  readonly values?: Readonly<Record<string, Json>> | undefined;
}

/** Blocks as people see them. */
export const blocksHtml = (blocks: readonly Json[], setting: Setting): string =>
  blocks
    .map(
      (block) => `<div class="block ${escapeHtml(String(block['type']))}">${blockHtml(block, setting)}</div>`,
    )
    .join('');

function blockHtml(block: Json, setting: Setting): string {
  const elements = (block['elements'] as Json[] | undefined) ?? [];
  switch (block['type']) {
    case 'header':
      return `<h3>${textHtml(block['text'], setting)}</h3>`;
    case 'section':
      return sectionHtml(block, setting);
    case 'context':
      return elements
        .map(
          (element) =>
            `<span>${element['type'] === 'image' ? picture(element) : textHtml(element, setting)}</span>`,
        )
        .join('');
    case 'divider':
      return '<hr>';
    case 'actions':
      return elements.map((element) => usable(element, block, setting)).join('');
    case 'rich_text':
      return richTextHtml(block, setting);
    case 'markdown':
      return mrkdwnHtml(String(block['text']), setting);
    case 'image':
      return picture(block);
    case 'input':
      return inputHtml(block, setting);
    default:
      return `<p class="muted">(${escapeHtml(String(block['type']))} is not shown here)</p>`;
  }
}

function sectionHtml(block: Json, setting: Setting): string {
  const fields = (block['fields'] as Json[] | undefined) ?? [];
  const accessory = block['accessory'] as Json | undefined;
  const words = [
    block['text'] === undefined ? '' : `<div>${textHtml(block['text'], setting)}</div>`,
    fields.length === 0
      ? ''
      : `<div class="fields">${fields.map((field) => `<div>${textHtml(field, setting)}</div>`).join('')}</div>`,
  ].join('');
  if (accessory === undefined) return words;
  const beside = accessory['type'] === 'image' ? picture(accessory) : usable(accessory, block, setting);
  return `<div class="beside"><div>${words}</div><div>${beside}</div></div>`;
}

function inputHtml(block: Json, setting: Setting): string {
  const id = String(block['block_id']);
  const optional = block['optional'] === true ? ' <span class="muted">(optional)</span>' : '';
  const hint = block['hint'] === undefined ? '' : `<p class="muted">${textHtml(block['hint'], setting)}</p>`;
  // A group and not a label: some fields are several boxes.
  return `<fieldset><legend>${textHtml(block['label'], setting)}${optional}</legend>
${usable(block['element'] as Json, block, setting)}${hint}<p class="problem" data-problem="${escapeHtml(id)}" role="alert" hidden></p></fieldset>`;
}

const usable = (element: Json, block: Json, setting: Setting): string => {
  const kept = setting.values?.[String(block['block_id'])]?.[String(element['action_id'])] as
    Json | undefined;
  const label = block['type'] === 'input' ? (block['label'] as { text?: string }).text : undefined;
  return elementHtml(element, { block, kept, people: setting.people, label });
};

// Nothing is loaded from elsewhere; whoever cannot see pictures sees the same.
const picture = (image: Json): string =>
  `<span class="picture" role="img">${escapeHtml(String(image['alt_text']))}</span>`;
