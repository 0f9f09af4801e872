import { describe, expect, it } from 'vitest';
import { blockProblems, textLength, viewProblems } from './limits.js';

const plain = (length: number) => ({ type: 'plain_text', text: 'x'.repeat(length) });
const mrkdwn = (length: number) => ({ type: 'mrkdwn', text: 'x'.repeat(length) });
const times = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));
const button = (more: object = {}) => ({ type: 'button', action_id: 'a', text: plain(1), ...more });
const actions = (...elements: object[]) => [{ type: 'actions', elements }];
const option = (n: number | string) => ({ text: plain(1), value: String(n) });
const menu = (type: string, count: number) =>
  actions({ type, action_id: 'm', options: times(count, option) });
const input = (element: object) => [
  { type: 'input', label: plain(1), element: { action_id: 'i', ...element } },
];
const modal = (more: object = {}) => ({ type: 'modal', title: plain(5), blocks: [], ...more });

/** What is made for a number, and the largest number that Slack takes. */
type Limit = readonly [name: string, most: number, make: (n: number) => unknown];

const inMessages: readonly Limit[] = [
  ['blocks of a message', 50, (n) => times(n, () => ({ type: 'divider' }))],
  ['a header', 150, (n) => [{ type: 'header', text: plain(n) }]],
  ['a section', 3000, (n) => [{ type: 'section', text: mrkdwn(n) }]],
  ['fields of a section', 10, (n) => [{ type: 'section', fields: times(n, () => mrkdwn(1)) }]],
  ['a field', 2000, (n) => [{ type: 'section', fields: [mrkdwn(n)] }]],
  ['elements of a context', 10, (n) => [{ type: 'context', elements: times(n, () => mrkdwn(1)) }]],
  ['elements of actions', 25, (n) => actions(...times(n, (at) => button({ action_id: String(at) })))],
  ['the text of a button', 75, (n) => actions(button({ text: plain(n) }))],
  ['the value of a button', 2000, (n) => actions(button({ value: 'x'.repeat(n) }))],
  ['the address of a button', 3000, (n) => actions(button({ url: `https://${'x'.repeat(n - 8)}` }))],
  ['an action_id', 255, (n) => actions(button({ action_id: 'x'.repeat(n) }))],
  ['a block_id', 255, (n) => [{ type: 'divider', block_id: 'x'.repeat(n) }]],
  ['options of a menu', 100, (n) => menu('static_select', n)],
  ['options of an overflow menu', 5, (n) => menu('overflow', n)],
  ['boxes', 10, (n) => menu('checkboxes', n)],
  [
    'the text of an option',
    75,
    (n) => actions({ type: 'radio_buttons', options: [{ ...option(1), text: plain(n) }] }),
  ],
  [
    'markdown in all',
    12_000,
    (n) => [1, 2].map((part) => ({ type: 'markdown', text: 'x'.repeat(part === 1 ? 6000 : n - 6000) })),
  ],
  [
    'the question before a deed',
    300,
    (n) =>
      actions(button({ confirm: { title: plain(1), text: plain(n), confirm: plain(1), deny: plain(1) } })),
  ],
  [
    'all texts of a message',
    13_200,
    (n) => [
      ...times(4, () => ({ type: 'section', text: mrkdwn(3000) })),
      { type: 'section', text: mrkdwn(n - 12_000) },
    ],
  ],
];

const inViews: readonly Limit[] = [
  ['blocks of a view', 100, (n) => modal({ blocks: times(n, () => ({ type: 'divider' })) })],
  ['a title', 24, (n) => modal({ title: plain(n) })],
  ['the word for submit', 24, (n) => modal({ submit: plain(n) })],
  ['private_metadata', 3000, (n) => modal({ private_metadata: 'x'.repeat(n) })],
  ['a callback_id', 255, (n) => modal({ callback_id: 'x'.repeat(n) })],
  [
    'the length that a field allows',
    3000,
    (n) => modal({ submit: plain(1), blocks: input({ type: 'plain_text_input', max_length: n }) }),
  ],
  [
    'files of a field',
    10,
    (n) => modal({ submit: plain(1), blocks: input({ type: 'file_input', max_files: n }) }),
  ],
];

describe('the limits of blocks', () => {
  it.each(inMessages)('take %s up to %i and not one more', (_name, most, make) => {
    expect(blockProblems(make(most), 'message')).toEqual([]);
    expect(blockProblems(make(most + 1), 'message')).toHaveLength(1);
  });

  it.each(inViews)('take %s up to %i and not one more', (_name, most, make) => {
    expect(viewProblems(make(most) as Record<string, unknown>)).toEqual([]);
    expect(viewProblems(make(most + 1) as Record<string, unknown>)).toHaveLength(1);
  });

  it.each([
    ['a block of an unknown type', [{ type: 'nope' }]],
    ['a section of nothing', [{ type: 'section' }]],
    ['an empty text', [{ type: 'section', text: mrkdwn(0) }]],
    ['a header in mrkdwn', [{ type: 'header', text: mrkdwn(1) }]],
    ['no elements', actions()],
    ['an action_id twice in a block', actions(button(), button())],
    ['a block_id twice', times(2, () => ({ type: 'divider', block_id: 'same' }))],
    ['a field in a message', input({ type: 'plain_text_input' })],
    ['a style that there is not', actions(button({ style: 'pretty' }))],
    ['an option twice', actions({ type: 'static_select', options: [option(1), option(1)] })],
    [
      'an initial option that is none',
      actions({ type: 'static_select', options: [option(1)], initial_option: option(2) }),
    ],
    ['an image without words for it', [{ type: 'image', image_url: 'https://a.example/i.png' }]],
    ['a rich text of an unknown part', [{ type: 'rich_text', elements: [{ type: 'nope' }] }]],
    ['something that is no list', { type: 'section' }],
  ])('refuse %s', (_name, blocks) => {
    expect(blockProblems(blocks, 'message')).not.toEqual([]);
  });

  it.each([
    ['no title', { type: 'modal', blocks: [] }],
    ['a field without a way to send it', modal({ blocks: input({ type: 'plain_text_input' }) })],
    ['a Home tab with a title', { type: 'home', title: plain(3), blocks: [] }],
    [
      'a number without a word on decimals',
      modal({ submit: plain(1), blocks: input({ type: 'number_input' }) }),
    ],
  ])('refuse %s in a view', (_name, view) => {
    expect(viewProblems(view)).not.toEqual([]);
  });

  it('count every text of a message', () => {
    expect(textLength([{ type: 'section', text: mrkdwn(5) }, ...actions(button({ text: plain(7) }))])).toBe(
      12,
    );
  });
});
