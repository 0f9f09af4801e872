import { escapeHtml } from '../../../../src/outbound/safe-text.js';
import type { Json } from '../refusal.js';

/** People to choose from. */
export type People = readonly { readonly id: string; readonly name: string }[];

interface Around {
  readonly block: Json;
  /** What was chosen or typed before. */
  readonly kept: Json | undefined;
  readonly people: People;
  readonly label: string | undefined;
}

interface Option {
  readonly value: string;
  readonly text: string;
}

/** A button, a menu or a field. What the page needs to know of it stands in its data attributes. */
export function elementHtml(element: Json, around: Around): string {
  const type = String(element['type']);
  const kept = around.kept ?? {};
  const label = around.label ?? wordsOf(element['placeholder']) ?? 'Choose';
  const field = (tag: string, more: string): string =>
    `<${tag} class="field" aria-label="${escapeHtml(label)}" ${ids(element, around.block)} ${more}`;
  const value = (of: unknown): string => (typeof of === 'string' || typeof of === 'number' ? String(of) : '');
  switch (type) {
    case 'button':
      return buttonHtml(element, around.block);
    case 'plain_text_input': {
      const typed = value(kept['value'] ?? element['initial_value']);
      return element['multiline'] === true
        ? field('textarea', `rows="4">${escapeHtml(typed)}</textarea>`)
        : field('input', `type="text" value="${escapeHtml(typed)}">`);
    }
    case 'email_text_input':
    case 'url_text_input':
    case 'number_input':
      // Text, so that what is wrong comes to the rules of the form and not to the browser's.
      return field(
        'input',
        `type="text" value="${escapeHtml(value(kept['value'] ?? element['initial_value']))}">`,
      );
    case 'datepicker':
      return field(
        'input',
        `type="date" value="${escapeHtml(value(kept['selected_date'] ?? element['initial_date']))}">`,
      );
    case 'datetimepicker':
      // Which hour it is there only the reader's browser knows; the page fills it in, and reads it back as seconds.
      return field(
        'input',
        `type="datetime-local" data-seconds="${escapeHtml(value(kept['selected_date_time'] ?? element['initial_date_time']))}">`,
      );
    case 'timepicker':
      return field(
        'input',
        `type="time" value="${escapeHtml(value(kept['selected_time'] ?? element['initial_time']))}">`,
      );
    case 'static_select':
    case 'overflow':
    case 'multi_static_select':
      return menu(field, groupsOf(element), chosenIn(element, kept), type.startsWith('multi_'));
    case 'users_select':
    case 'multi_users_select': {
      const people = around.people.map(({ id, name }) => ({ value: id, text: name }));
      const several = (kept['selected_users'] ?? element['initial_users'] ?? []) as string[];
      const one = value(kept['selected_user'] ?? element['initial_user']);
      return menu(field, [{ options: people }], new Set([one, ...several]), type.startsWith('multi_'));
    }
    case 'checkboxes':
    case 'radio_buttons':
      return boxes(element, around, chosenIn(element, kept));
    default:
      return `<p class="muted">(${escapeHtml(type)} is not shown here)</p>`;
  }
}

const ids = (element: Json, block: Json): string =>
  `data-type="${escapeHtml(String(element['type']))}" data-action="${escapeHtml(String(element['action_id']))}" data-block="${escapeHtml(String(block['block_id']))}"`;

const wordsOf = (text: unknown): string | undefined => (text as { text?: string } | undefined)?.text;

function buttonHtml(element: Json, block: Json): string {
  const style = element['style'] === 'primary' || element['style'] === 'danger' ? element['style'] : 'plain';
  const confirm = element['confirm'] as Json | undefined;
  const asks =
    confirm === undefined
      ? ''
      : ` data-confirm="${escapeHtml(`${wordsOf(confirm['title']) ?? ''}\n\n${wordsOf(confirm['text']) ?? ''}`)}"`;
  const value = typeof element['value'] === 'string' ? ` data-value="${escapeHtml(element['value'])}"` : '';
  const attributes = `class="act ${style}" ${ids(element, block)}${value}${asks}`;
  const words = escapeHtml(wordsOf(element['text']) ?? '');
  const url = element['url'];
  // A button with an address opens it, and tells the service as well.
  if (typeof url === 'string' && /^https?:\/\//i.test(url))
    return `<a ${attributes} href="${escapeHtml(url)}" target="_blank" rel="noopener noreferrer">${words}</a>`;
  return `<button type="button" ${attributes}>${words}</button>`;
}

const optionOf = (option: Json): Option => ({
  value: String(option['value']),
  text: wordsOf(option['text']) ?? '',
});

function groupsOf(element: Json): { label?: string; options: Option[] }[] {
  const groups = element['option_groups'] as Json[] | undefined;
  const options = (of: Json): Option[] => ((of['options'] as Json[] | undefined) ?? []).map(optionOf);
  if (groups === undefined) return [{ options: options(element) }];
  return groups.map((group) => ({ label: wordsOf(group['label']) ?? '', options: options(group) }));
}

function chosenIn(element: Json, kept: Json): Set<string> {
  const options = [
    kept['selected_option'] ?? element['initial_option'],
    ...((kept['selected_options'] ?? element['initial_options'] ?? []) as Json[]),
  ];
  return new Set(options.flatMap((option) => (option ? [String((option as Json)['value'])] : [])));
}

function menu(
  field: (tag: string, more: string) => string,
  groups: readonly { label?: string; options: readonly Option[] }[],
  chosen: ReadonlySet<string>,
  isMultiple: boolean,
): string {
  const options = (of: readonly Option[]): string =>
    of
      .map(
        ({ value, text }) =>
          `<option value="${escapeHtml(value)}"${chosen.has(value) ? ' selected' : ''}>${escapeHtml(text)}</option>`,
      )
      .join('');
  const all = groups
    .map(({ label, options: of }) =>
      label === undefined ? options(of) : `<optgroup label="${escapeHtml(label)}">${options(of)}</optgroup>`,
    )
    .join('');
  const none = isMultiple ? '' : '<option value="">Choose…</option>';
  return field('select', `${isMultiple ? 'multiple ' : ''}>${none}${all}</select>`);
}

function boxes(element: Json, around: Around, chosen: ReadonlySet<string>): string {
  const type = element['type'] === 'checkboxes' ? 'checkbox' : 'radio';
  const name = escapeHtml(`${String(around.block['block_id'])}/${String(element['action_id'])}`);
  const options = ((element['options'] as Json[] | undefined) ?? []).map((option) => {
    const { value, text } = optionOf(option);
    const more = wordsOf(option['description']);
    const description = more === undefined ? '' : `<span class="muted">${escapeHtml(more)}</span>`;
    return `<label><input type="${type}" name="${name}" value="${escapeHtml(value)}"${chosen.has(value) ? ' checked' : ''}> ${escapeHtml(text)} ${description}</label>`;
  });
  return `<div class="field boxes" ${ids(element, around.block)}>${options.join('')}</div>`;
}
