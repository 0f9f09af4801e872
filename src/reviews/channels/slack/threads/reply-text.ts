/** By Slack's ids of accounts: how a comment names them. */
export type NameOf = (userId: string) => string | undefined;

// As long as a comment may be.
const MAX_TEXT = 10_000;

/** What a comment says once the reply that it was is removed. */
export const REMOVED = '(removed in Slack)';

/** Everything between angle brackets that Slack itself writes; a person's own brackets come escaped. */
const REFERENCE = /<([^<>]{1,3000})>/g;
const ENTITY = /&(amp|lt|gt);/g;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>' };

/** What somebody wrote in Slack as plain text: mentions by name, links as their address with the label before it. */
export function replyText(text: string, nameOf: NameOf): string {
  const plain = text
    .replace(REFERENCE, (_whole, inner: string) => referenceText(inner, nameOf))
    .replace(ENTITY, (_whole, name: string) => ENTITIES[name] ?? '')
    .replaceAll('\u0000', '')
    .toWellFormed()
    .trim();
  const points = Array.from(plain);
  return points.length <= MAX_TEXT ? plain : `${points.slice(0, MAX_TEXT - 1).join('')}…`;
}

/** The accounts that a text mentions, each once; bounded by whoever asks for their names. */
export function mentionedAccounts(text: string): readonly string[] {
  const found = [...text.matchAll(/<@([A-Z0-9]{1,30})(?:\|[^<>]{0,200})?>/g)].map(([, id = '']) => id);
  return [...new Set(found)];
}

function referenceText(inner: string, nameOf: NameOf): string {
  const bar = inner.indexOf('|');
  const [target, label] = bar === -1 ? [inner, ''] : [inner.slice(0, bar), inner.slice(bar + 1)];
  switch (target.charAt(0)) {
    case '@': {
      const id = target.slice(1);
      const name = nameOf(id);
      // Only of who is bound an @ is written: somebody else's name there may be that of a colleague here.
      return name === undefined ? (label === '' ? id : label.replaceAll('@', '')) : `@${name}`;
    }
    case '#':
      return `#${label === '' ? target.slice(1) : label}`;
    case '!':
      return label === '' ? `!${target.slice(1).split('^')[0] ?? ''}` : label.replaceAll('@', '');
    default: {
      const address = target.replace(/^mailto:/, '');
      return label === '' || label === address || label === target ? address : `${label} (${address})`;
    }
  }
}
