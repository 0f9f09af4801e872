import { lengthOf, type Block, type Complaints } from './limits-text.js';

const chosen = [
  'static_select',
  'users_select',
  'conversations_select',
  'channels_select',
  'external_select',
];
const several = chosen.map((type) => `multi_${type}`);
const shared = [
  ...chosen,
  ...several,
  'checkboxes',
  'radio_buttons',
  'datepicker',
  'datetimepicker',
  'timepicker',
];

/** What may stand in an actions block, or beside a section. */
export const actionElements: ReadonlySet<string> = new Set([...shared, 'button', 'overflow']);

/** What may stand in an input block. */
export const inputElements: ReadonlySet<string> = new Set([
  ...shared,
  'plain_text_input',
  'email_text_input',
  'url_text_input',
  'number_input',
  'file_input',
  'rich_text_input',
]);

/** Adds what is wrong with one button, menu or field. */
export function elementProblems(element: Block, at: string, complaints: Complaints): void {
  complaints.id(element['action_id'], `${at}.action_id`);
  if (element['placeholder'] !== undefined)
    complaints.plain(element['placeholder'], `${at}.placeholder`, 150);
  if (element['confirm'] !== undefined)
    confirmProblems(element['confirm'] as Block, `${at}.confirm`, complaints);
  switch (element['type']) {
    case 'button':
      buttonProblems(element, at, complaints);
      break;
    case 'static_select':
    case 'multi_static_select':
      menuProblems(element, at, complaints);
      break;
    case 'overflow':
      optionProblems(element['options'], `${at}.options`, 5, complaints);
      break;
    case 'checkboxes':
    case 'radio_buttons':
      optionProblems(element['options'], `${at}.options`, 10, complaints);
      initialProblems(element, at, complaints);
      break;
    case 'plain_text_input':
      lengthProblems(element, at, complaints);
      break;
    case 'number_input':
      if (typeof element['is_decimal_allowed'] !== 'boolean')
        complaints.add(`${at}.is_decimal_allowed: missing`);
      for (const bound of ['min_value', 'max_value', 'initial_value']) {
        if (element[bound] !== undefined && typeof element[bound] !== 'string')
          complaints.add(`${at}.${bound}: not a string`);
      }
      break;
    case 'datepicker':
      if (element['initial_date'] !== undefined && !isText(element['initial_date'], /^\d{4}-\d\d-\d\d$/))
        complaints.add(`${at}.initial_date`);
      break;
    case 'datetimepicker':
      if (element['initial_date_time'] !== undefined && !isSeconds(element['initial_date_time']))
        complaints.add(`${at}.initial_date_time: not seconds of ten digits`);
      break;
    case 'file_input': {
      const max = element['max_files'] ?? 10;
      if (typeof max !== 'number' || max < 1 || max > 10) complaints.add(`${at}.max_files: not 1 to 10`);
      break;
    }
    case 'image':
      if (lengthOf(element['alt_text']) === 0) complaints.add(`${at}.alt_text: missing`);
      if (lengthOf(element['alt_text']) > 2000) complaints.add(`${at}.alt_text: too long`);
      if (lengthOf(element['image_url']) > 3000) complaints.add(`${at}.image_url: too long`);
      break;
    default:
      break;
  }
}

/** A moment as Slack takes it: whole seconds of ten digits. */
export const isSeconds = (value: unknown): boolean =>
  Number.isInteger(value) && Number(value) >= 1_000_000_000 && Number(value) <= 9_999_999_999;

function buttonProblems(element: Block, at: string, complaints: Complaints): void {
  complaints.plain(element['text'], `${at}.text`, 75);
  if (lengthOf(element['value']) > 2000) complaints.add(`${at}.value: too long`);
  if (lengthOf(element['url']) > 3000) complaints.add(`${at}.url: too long`);
  if (element['url'] !== undefined && !isText(element['url'], /^[a-z][a-z0-9+.-]*:/i))
    complaints.add(`${at}.url: not an address`);
  if (lengthOf(element['accessibility_label']) > 75) complaints.add(`${at}.accessibility_label: too long`);
  const style = element['style'];
  if (style !== undefined && style !== 'primary' && style !== 'danger') complaints.add(`${at}.style`);
}

function menuProblems(element: Block, at: string, complaints: Complaints): void {
  if (element['option_groups'] === undefined) {
    optionProblems(element['options'], `${at}.options`, 100, complaints);
  } else {
    complaints.list(element['option_groups'], `${at}.option_groups`, 100).forEach((group, n) => {
      complaints.plain(group['label'], `${at}.option_groups[${n}].label`, 75);
      optionProblems(group['options'], `${at}.option_groups[${n}].options`, 100, complaints);
    });
  }
  initialProblems(element, at, complaints);
}

function optionProblems(options: unknown, at: string, max: number, complaints: Complaints): void {
  const list = complaints.list(options, at, max);
  list.forEach((option, n) => {
    complaints.text(option['text'], `${at}[${n}].text`, 75);
    const value = option['value'];
    if (typeof value !== 'string' || value === '') complaints.add(`${at}[${n}].value: missing`);
    // Published as 150; a button's value is the long one.
    if (lengthOf(value) > 150) complaints.add(`${at}[${n}].value: too long`);
    if (option['description'] !== undefined)
      complaints.text(option['description'], `${at}[${n}].description`, 75);
  });
  const values = list.map((option) => option['value']);
  if (new Set(values).size !== values.length) complaints.add(`${at}: a value twice`);
}

/** What is chosen from the start has to be one of the options, word for word. */
function initialProblems(element: Block, at: string, complaints: Complaints): void {
  const groups = element['option_groups'] as readonly Block[] | undefined;
  const options = (groups === undefined ? [element] : groups).flatMap(({ options: some }) =>
    Array.isArray(some) ? (some as Block[]) : [],
  );
  const initial = [
    ...(element['initial_option'] === undefined ? [] : [element['initial_option'] as Block]),
    ...((element['initial_options'] as Block[] | undefined) ?? []),
  ];
  for (const option of initial) {
    if (!options.some((one) => one['value'] === option['value'] && sameText(one['text'], option['text'])))
      complaints.add(`${at}: the initial option ${String(option['value'])} is none of the options`);
  }
}

const sameText = (one: unknown, other: unknown): boolean =>
  (one as { text?: string } | undefined)?.text === (other as { text?: string } | undefined)?.text;

function lengthProblems(element: Block, at: string, complaints: Complaints): void {
  const { min_length: min = 0, max_length: max = 3000, initial_value: initial = '' } = element;
  if (typeof max !== 'number' || max < 1 || max > 3000) complaints.add(`${at}.max_length: not 1 to 3000`);
  if (typeof min !== 'number' || min < 0 || min > 3000) complaints.add(`${at}.min_length: not 0 to 3000`);
  if (Number(min) > Number(max)) complaints.add(`${at}.min_length: above max_length`);
  if (lengthOf(initial) > Number(max)) complaints.add(`${at}.initial_value: longer than max_length`);
}

function confirmProblems(confirm: Block, at: string, complaints: Complaints): void {
  complaints.plain(confirm['title'], `${at}.title`, 100);
  complaints.text(confirm['text'], `${at}.text`, 300);
  complaints.plain(confirm['confirm'], `${at}.confirm`, 30);
  complaints.plain(confirm['deny'], `${at}.deny`, 30);
}

const isText = (value: unknown, pattern: RegExp): boolean => typeof value === 'string' && pattern.test(value);
