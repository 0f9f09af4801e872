import { escapeHtml } from '../../../../src/outbound/safe-text.js';
import { pieces, type Piece } from '../mrkdwn.js';
import type { Json } from '../refusal.js';
import { dateText } from './date-text.js';

/** How people and channels are called; their ids when they are unknown. */
export interface Names {
  user(id: string): string;
  channel(id: string): string;
}

/** A text object of either kind. */
export function textHtml(object: unknown, names: Names): string {
  const { type, text, verbatim } = (object ?? {}) as { type?: string; text?: string; verbatim?: boolean };
  if (typeof text !== 'string') return '';
  return type === 'mrkdwn' ? mrkdwnHtml(text, names, verbatim === true) : lines(escapeHtml(text));
}

/** mrkdwn as people see it. Lines that begin with `>` are quotes. */
export function mrkdwnHtml(text: string, names: Names, verbatim = false): string {
  const runs: { isQuote: boolean; lines: string[] }[] = [];
  for (const line of text.split('\n')) {
    const isQuote = line.startsWith('&gt;') || line.startsWith('>');
    const last = runs.at(-1);
    const rest = isQuote ? line.replace(/^(&gt;|>) ?/, '') : line;
    if (last?.isQuote === isQuote) last.lines.push(rest);
    else runs.push({ isQuote, lines: [rest] });
  }
  return runs
    .map((run) => {
      const inner = piecesHtml(pieces(run.lines.join('\n'), { verbatim }), names);
      return run.isQuote ? `<blockquote>${inner}</blockquote>` : inner;
    })
    .join('');
}

// Lines and the spaces that indent them stay as they were written.
const lines = (html: string): string => html.replaceAll('\n', '<br>').replaceAll('  ', '&nbsp; ');

const piecesHtml = (all: readonly Piece[], names: Names): string =>
  all.map((piece) => pieceHtml(piece, names)).join('');

function pieceHtml(piece: Piece, names: Names): string {
  switch (piece.kind) {
    case 'text':
      return lines(escapeHtml(piece.text));
    case 'bold':
      return `<strong>${piecesHtml(piece.inner, names)}</strong>`;
    case 'italic':
      return `<em>${piecesHtml(piece.inner, names)}</em>`;
    case 'strike':
      return `<s>${piecesHtml(piece.inner, names)}</s>`;
    case 'code':
      return `<code>${piecesHtml(piece.inner, names)}</code>`;
    case 'preformatted':
      return `<pre>${piecesHtml(piece.inner, names)}</pre>`;
    case 'link':
      return linkHtml(piece.url, piece.label);
    case 'mention':
      return `<span class="mention">${escapeHtml(mentionText(piece.of, piece.label, names))}</span>`;
    case 'date':
      return `<time>${escapeHtml(dateText(piece.at, piece.format, piece.fallback))}</time>`;
    default:
      return piece satisfies never;
  }
}

/** A link to the web; an address of another kind is shown and leads nowhere. */
export function linkHtml(url: string, label: string): string {
  const shown = escapeHtml(label);
  if (!/^https?:\/\//i.test(url)) return shown;
  return `<a href="${escapeHtml(url)}" target="_blank" rel="noopener noreferrer">${shown}</a>`;
}

function mentionText(of: string, label: string, names: Names): string {
  if (of.startsWith('@')) return `@${names.user(of.slice(1))}`;
  if (of.startsWith('#')) return `#${names.channel(of.slice(1))}`;
  if (label !== '') return label;
  return `@${of.replace(/^!/, '')}`;
}

/** The parts of a rich_text block. */
export function richTextHtml(part: Json, names: Names): string {
  const elements = (part['elements'] as Json[] | undefined) ?? [];
  const inner = (): string => elements.map((element) => richTextHtml(element, names)).join('');
  switch (part['type']) {
    case 'rich_text':
      return inner();
    case 'rich_text_section':
      return `<p>${inner()}</p>`;
    case 'rich_text_quote':
      return `<blockquote>${inner()}</blockquote>`;
    case 'rich_text_preformatted':
      return `<pre>${inner()}</pre>`;
    case 'rich_text_list': {
      const tag = part['style'] === 'ordered' ? 'ol' : 'ul';
      return `<${tag}>${elements.map((item) => `<li>${richTextHtml(item, names)}</li>`).join('')}</${tag}>`;
    }
    default:
      return styled(inlineHtml(part, names), part['style'] as Json | undefined);
  }
}

function inlineHtml(element: Json, names: Names): string {
  const text = (field: string): string => (typeof element[field] === 'string' ? element[field] : '');
  switch (element['type']) {
    case 'text':
      return lines(escapeHtml(text('text')));
    case 'link':
      return linkHtml(text('url'), text('text') === '' ? text('url') : text('text'));
    case 'user':
      return mention(`@${names.user(text('user_id'))}`);
    case 'channel':
      return mention(`#${names.channel(text('channel_id'))}`);
    case 'usergroup':
      return mention(`@${text('usergroup_id')}`);
    case 'broadcast':
      return mention(`@${text('range')}`);
    case 'emoji':
      return escapeHtml(`:${text('name')}:`);
    case 'date':
      return `<time>${escapeHtml(dateText(Number(element['timestamp']), text('format'), text('fallback')))}</time>`;
    default:
      return '';
  }
}

const mention = (name: string): string => `<span class="mention">${escapeHtml(name)}</span>`;

function styled(html: string, style: Json | undefined): string {
  const tags = { bold: 'strong', italic: 'em', strike: 's', code: 'code' } as const;
  return Object.entries(tags).reduce(
    (inner, [name, tag]) => (style?.[name] === true ? `<${tag}>${inner}</${tag}>` : inner),
    html,
  );
}
