import type { Block, Complaints } from './limits-text.js';

const inline: ReadonlySet<string> = new Set([
  'text',
  'link',
  'emoji',
  'user',
  'usergroup',
  'channel',
  'team',
  'broadcast',
  'date',
  'color',
]);

/** Adds what is wrong with a rich_text block. */
export function richTextProblems(block: Block, path: string, complaints: Complaints): void {
  complaints.list(block['elements'], `${path}.elements`, 1000).forEach((part, n) => {
    const at = `${path}.elements[${n}]`;
    switch (part['type']) {
      case 'rich_text_list':
        if (part['style'] !== 'bullet' && part['style'] !== 'ordered') complaints.add(`${at}.style`);
        complaints.list(part['elements'], `${at}.elements`, 1000).forEach((item, m) => {
          if (item['type'] !== 'rich_text_section') complaints.add(`${at}.elements[${m}].type`);
          inlineProblems(item, `${at}.elements[${m}]`, complaints);
        });
        break;
      case 'rich_text_section':
      case 'rich_text_quote':
      case 'rich_text_preformatted':
        inlineProblems(part, at, complaints);
        break;
      default:
        complaints.add(`${at}.type: ${String(part['type'])}`);
    }
  });
}

function inlineProblems(part: Block, at: string, complaints: Complaints): void {
  const elements = Array.isArray(part['elements']) ? (part['elements'] as Block[]) : [];
  if (!Array.isArray(part['elements'])) complaints.add(`${at}.elements: not an array`);
  elements.forEach((element, n) => {
    const type = String(element['type']);
    if (!inline.has(type)) complaints.add(`${at}.elements[${n}].type: ${type}`);
    if (type === 'text' && (typeof element['text'] !== 'string' || element['text'] === ''))
      complaints.add(`${at}.elements[${n}].text: empty`);
    if (type === 'link' && typeof element['url'] !== 'string')
      complaints.add(`${at}.elements[${n}].url: missing`);
  });
}
