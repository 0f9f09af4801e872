import { visible } from '../../../outbound/safe-text.js';
import type { ContextLine } from '../../../reviews/context/finding-contexts.js';
import { maskOf } from '../masked-paths.js';
import type { SecretFinding } from '../secrets/finding.js';
import { withoutUnknownSecrets } from './unknown-secrets.js';

/** How many lines are shown before a finding and after it. */
export const LINES_AROUND = 3;
/** Of one line, in code points; more of a long one is cut away around the finding. */
const LINE_LENGTH = 240;

/** A stretch of the window's bytes that is not shown, and what stands in its place. */
interface Mask {
  readonly start: number;
  readonly end: number;
  readonly shown: string;
}

export interface Window {
  readonly bytes: Buffer;
  /** Of its first byte in the content. */
  readonly from: number;
  /** Of the finding, in the content. */
  readonly at: number;
  /** Of the finding; counts from 1. */
  readonly line: number;
  /** More of the content follows: the last line may go on. */
  readonly isCutOff: boolean;
}

/**
 * The lines around a finding, with every secret in them masked that the scanner knows, and whatever else looks like one.
 *
 * @param secrets all that were found in the content, in the order of their places.
 */
export function shownLines(window: Window, secrets: readonly SecretFinding[]): ContextLine[] {
  const { bytes, from, at, line, isCutOff } = window;
  const wide = widthOf(bytes, at - from);
  const masks = masksIn(bytes, from, secrets, wide);
  const lines = linesOf(bytes, wide);
  const found = lines.findIndex(({ end }) => at - from < end || end === bytes.length);
  const first = Math.max(0, found - LINES_AROUND);
  const shown: ContextLine[] = [];
  for (const [index, { start, end }] of lines.entries()) {
    if (index < first || index > found + LINES_AROUND) continue;
    const isFinding = index === found;
    const isLast = index === lines.length - 1;
    // Of a line whose beginning is missing nobody can tell what its end is the value of, nor of what a piece is one.
    const isPart = (index === 0 && from > 0) || (isLast && isCutOff);
    if ((isPart && !isFinding) || (isLast && start === end)) continue;
    shown.push({
      number: line + index - found,
      text: lineText(bytes, { start, end }, masks, wide, isFinding ? at - from : undefined),
      isFinding,
    });
  }
  return shown;
}

type Width = 'utf8' | 'utf16le' | 'utf16be';

/** UTF-16 has a zero in every second byte of what is ASCII. */
function widthOf(bytes: Buffer, near: number): Width {
  const start = Math.max(0, near - 64) & ~1;
  const sample = bytes.subarray(start, start + 256);
  const zeros = [0, 0];
  for (const [index, byte] of sample.entries())
    if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  const most = sample.length / 2;
  if (odd > most * 0.6 && even < most * 0.2) return 'utf16le';
  if (even > most * 0.6 && odd < most * 0.2) return 'utf16be';
  return 'utf8';
}

function linesOf(bytes: Buffer, wide: Width): { start: number; end: number }[] {
  const lines: { start: number; end: number }[] = [];
  let start = 0;
  for (let index = bytes.indexOf(10); index !== -1; index = bytes.indexOf(10, index + 1)) {
    if (wide === 'utf16le' && (index % 2 !== 0 || bytes[index + 1] !== 0)) continue;
    if (wide === 'utf16be' && (index % 2 !== 1 || bytes[index - 1] !== 0)) continue;
    const end = wide === 'utf16le' ? index + 2 : index + 1;
    lines.push({ start, end });
    start = end;
  }
  lines.push({ start, end: bytes.length });
  return lines;
}

function masksIn(bytes: Buffer, from: number, secrets: readonly SecretFinding[], wide: Width): Mask[] {
  const masks: Mask[] = [];
  for (const { location, maskedExcerpt } of secrets) {
    const start = Math.max(0, location.byteOffset - from);
    const end = Math.min(bytes.length, location.byteOffset + location.byteLength - from);
    if (start >= end) continue;
    masks.push({ start, end, shown: maskOf(maskedExcerpt, textOf(bytes.subarray(start, end), wide)) });
  }
  return masks.sort((a, b) => a.start - b.start || b.end - a.end);
}

/** One line: what is between the masks as text, and what stands for the masks. `at`: where the finding begins in it. */
function lineText(
  bytes: Buffer,
  { start, end }: { start: number; end: number },
  masks: readonly Mask[],
  wide: Width,
  at: number | undefined,
): string {
  let before = '';
  let after = '';
  let done = start;
  const add = (text: string, place: number): void => {
    if (at !== undefined && place >= at) after += text;
    else before += text;
  };
  const plain = (to: number): void => {
    if (to <= done) return;
    add(withoutUnknownSecrets(textOf(bytes.subarray(done, to), wide)), done);
    done = to;
  };
  for (const mask of masks) {
    if (mask.end <= done || mask.start >= end) continue;
    plain(Math.max(done, mask.start));
    // One that goes on from the line before is named there.
    add(mask.start < start ? '…' : mask.shown, Math.max(mask.start, start));
    done = Math.min(mask.end, end);
  }
  plain(end);
  return cut(
    before.trimEnd() === '' && after === '' ? '' : before,
    after.replace(/\s+$/u, ''),
    at !== undefined,
  );
}

const shown = (text: string): string => visible(text.replaceAll('\t', '  '), Number.MAX_SAFE_INTEGER);

function cut(before: string, after: string, isFinding: boolean): string {
  if (!isFinding) return visible(shown(before.replace(/\s+$/u, '')), LINE_LENGTH);
  const [left, right] = [Array.from(shown(before)), Array.from(shown(after))];
  const room = LINE_LENGTH / 2;
  const head = left.length > room ? `…${left.slice(-room).join('')}` : left.join('');
  const tail = right.length > room ? `${right.slice(0, room).join('')}…` : right.join('');
  return head + tail;
}

/** Bytes that are no text in this encoding are shown as `\xNN`. */
function textOf(bytes: Buffer, wide: Width): string {
  if (wide === 'utf16le') return bytes.subarray(0, bytes.length & ~1).toString('utf16le');
  if (wide === 'utf16be')
    return Buffer.from(bytes.subarray(0, bytes.length & ~1))
      .swap16()
      .toString('utf16le');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // No UTF-8: each byte for itself.
    return Array.from(bytes, (byte) =>
      byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
    ).join('');
  }
}
