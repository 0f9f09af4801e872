/** Slack's limits on what a message or a view may hold, as published, and the one on a whole message that is not. */

type Block = Readonly<Record<string, unknown>>;

const lengthOf = (value: unknown): number => (typeof value === 'string' ? value.length : 0);

const ACTIONS_PER_BLOCK = 25;

/** Every rule that the blocks break; empty when Slack would take them. */
export function blockProblems(blocks: unknown, where: 'message' | 'view'): string[] {
  if (!Array.isArray(blocks)) return ['blocks: not an array'];
  const problems: string[] = [];
  const max = where === 'message' ? 50 : 100;
  if (blocks.length > max) problems.push(`blocks: ${blocks.length} > ${max}`);
  blocks.forEach((block, index) => problems.push(...oneBlock(block as Block, `blocks[${index}]`, where)));
  const total = textLength(blocks);
  if (where === 'message' && total > 13_200) problems.push(`blocks: ${total} characters in all > 13200`);
  return problems;
}

function oneBlock(block: Block, path: string, where: 'message' | 'view'): string[] {
  const problems: string[] = [];
  const text = (value: unknown, at: string, limit: number, min = 1): void => {
    const object = value as { type?: unknown; text?: unknown } | undefined;
    if (object?.type !== 'plain_text' && object?.type !== 'mrkdwn') problems.push(`${at}: not a text object`);
    else if (typeof object.text !== 'string') problems.push(`${at}: no text`);
    else if (object.text.length > limit) problems.push(`${at}: ${object.text.length} > ${limit}`);
    else if (object.text.length < min) problems.push(`${at}: empty`);
  };
  if (block['block_id'] !== undefined && lengthOf(block['block_id']) > 255)
    problems.push(`${path}.block_id: too long`);
  switch (block['type']) {
    case 'header':
      text(block['text'], `${path}.text`, 150);
      break;
    case 'section':
      text(block['text'], `${path}.text`, 3000);
      break;
    case 'context': {
      const elements = block['elements'] as unknown[];
      if (elements.length > 10 || elements.length === 0)
        problems.push(`${path}.elements: ${elements.length}`);
      elements.forEach((element, n) => text(element, `${path}.elements[${n}]`, 2000));
      break;
    }
    case 'divider':
      break;
    case 'actions': {
      const elements = block['elements'] as Block[];
      if (elements.length > ACTIONS_PER_BLOCK || elements.length === 0)
        problems.push(`${path}.elements: ${elements.length}`);
      const ids = elements.map((element) => element['action_id']);
      if (new Set(ids).size !== ids.length) problems.push(`${path}.elements: action_id twice`);
      elements.forEach((element, n) => {
        const at = `${path}.elements[${n}]`;
        if (element['type'] !== 'button') problems.push(`${at}.type: ${String(element['type'])}`);
        text(element['text'], `${at}.text`, 75);
        if (lengthOf(element['action_id']) > 255) problems.push(`${at}.action_id: too long`);
        if (lengthOf(element['value']) > 2000) problems.push(`${at}.value: too long`);
        if (lengthOf(element['url']) > 3000) problems.push(`${at}.url: too long`);
        const style = element['style'];
        if (style !== undefined && style !== 'primary' && style !== 'danger') problems.push(`${at}.style`);
      });
      break;
    }
    case 'input': {
      if (where !== 'view') problems.push(`${path}: an input outside a view`);
      text(block['label'], `${path}.label`, 2000);
      if (block['hint'] !== undefined) text(block['hint'], `${path}.hint`, 2000);
      const element = block['element'] as Block;
      if (element['type'] !== 'plain_text_input') problems.push(`${path}.element.type`);
      if (Number(element['max_length'] ?? 3000) > 3000) problems.push(`${path}.element.max_length`);
      break;
    }
    default:
      problems.push(`${path}.type: ${String(block['type'])}`);
  }
  return problems;
}

/** Every rule that a modal breaks. */
export function viewProblems(view: Block): string[] {
  const problems = blockProblems(view['blocks'], 'view');
  for (const field of ['title', 'submit', 'close']) {
    const value = view[field] as { text?: string } | undefined;
    if (field === 'title' && value?.text === undefined) problems.push('title: missing');
    if ((value?.text ?? '').length > 24) problems.push(`${field}: longer than 24`);
  }
  if (lengthOf(view['private_metadata']) > 3000) problems.push('private_metadata: longer than 3000');
  if (lengthOf(view['callback_id']) > 255) problems.push('callback_id: longer than 255');
  const needsSubmit = (view['blocks'] as Block[]).some((block) => block['type'] === 'input');
  if (needsSubmit && view['submit'] === undefined) problems.push('submit: missing beside an input');
  return problems;
}

function textLength(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, entry) => sum + textLength(entry), 0);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce(
    (sum, [key, entry]) =>
      sum + (key === 'text' && typeof entry === 'string' ? entry.length : textLength(entry)),
    0,
  );
}
