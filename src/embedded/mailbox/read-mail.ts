import type { CaughtMail } from '../../outbound/mailbox/mailbox.js';

/** A caught mail, opened. Text and HTML are a stranger's: show the text as text and the HTML in a sandbox. */
export interface ReadMail extends CaughtMail {
  readonly text: string;
  readonly html: string;
  readonly attachments: readonly { readonly name: string; readonly sizeBytes: number }[];
}

// What a page can show; a mail may be ten times as long.
const SHOWN_CHARACTERS = 1_000_000;
// Deeper nesting than any mail program makes; the parser needs memory and time for each level.
const MAX_PARTS = 200;

/** Reads a mail for showing. Never throws: a mail that makes no sense is shown as it came. */
export async function readMail(mail: CaughtMail, source: Buffer): Promise<ReadMail> {
  if (countParts(source) > MAX_PARTS)
    return asSource(mail, source, 'This mail has too many parts to be taken apart.');
  const { simpleParser } = await import('mailparser');
  try {
    const parsed = await simpleParser(source, {
      skipHtmlToText: true,
      skipTextToHtml: true,
      skipImageLinks: true,
      skipTextLinks: true,
    });
    return {
      ...mail,
      text: (parsed.text ?? '').slice(0, SHOWN_CHARACTERS),
      html: (parsed.html === false ? '' : (parsed.html ?? '')).slice(0, SHOWN_CHARACTERS),
      attachments: parsed.attachments.map(({ filename, size }) => ({
        name: (filename ?? 'unnamed').slice(0, 200),
        sizeBytes: size,
      })),
    };
  } catch {
    return asSource(mail, source, 'This mail cannot be taken apart; this is how it came.');
  }
}

function asSource(mail: CaughtMail, source: Buffer, why: string): ReadMail {
  const text = `${why}\n\n${source.toString('latin1').slice(0, SHOWN_CHARACTERS)}`;
  return { ...mail, text, html: '', attachments: [] };
}

/** How often a part is announced: an upper bound for what the parser would build. */
function countParts(source: Buffer): number {
  let count = 0;
  for (
    let at = source.indexOf('\n--');
    at !== -1 && count <= 2 * MAX_PARTS;
    at = source.indexOf('\n--', at + 3)
  )
    count++;
  return count / 2;
}
