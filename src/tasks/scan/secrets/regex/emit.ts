import { members } from './byte-set.js';
import type { ByteSet } from './byte-set.js';
import type { Assertion, Pattern } from './pattern.js';

const assertions: Readonly<Record<Assertion, string>> = {
  textStart: '(?<![^])',
  textEnd: '(?![^])',
  lineStart: '(?<![^\\n])',
  lineEnd: '(?![^\\n])',
  wordBoundary: '\\b',
  noWordBoundary: '\\B',
};

/**
 * Writes a parsed pattern as the source of a JavaScript RegExp without flags, to be run on latin1 text.
 * Names of captures are dropped: rules address them by number.
 */
export function emitPattern(pattern: Pattern): string {
  switch (pattern.kind) {
    case 'set':
      return emitSet(pattern.set);
    case 'assertion':
      return assertions[pattern.assertion];
    case 'concat':
      return pattern.items
        .map((item) => (item.kind === 'alternate' ? grouped(item) : emitPattern(item)))
        .join('');
    case 'alternate':
      return pattern.branches.map(emitPattern).join('|');
    case 'capture':
      return `(${emitPattern(pattern.inner)})`;
  }
  return `${pattern.inner.kind === 'set' || pattern.inner.kind === 'capture' ? emitPattern(pattern.inner) : grouped(pattern.inner)}${quantifier(pattern.min, pattern.max)}${pattern.lazy ? '?' : ''}`;
}

const grouped = (pattern: Pattern): string => `(?:${emitPattern(pattern)})`;

function quantifier(min: number, max: number): string {
  if (max === Infinity) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`;
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}

function emitSet(set: ByteSet): string {
  const bytes = members(set);
  if (bytes.length === 256) return '[^]';
  if (bytes.length === 1) return emitByte(bytes[0]!);
  const ranges: string[] = [];
  for (let i = 0; i < bytes.length; i++) {
    const from = bytes[i]!;
    let to = from;
    while (bytes[i + 1] === to + 1) to = bytes[++i]!;
    ranges.push(to === from ? emitByte(from) : `${emitByte(from)}-${emitByte(to)}`);
  }
  return `[${ranges.join('')}]`;
}

function emitByte(byte: number): string {
  const char = String.fromCharCode(byte);
  return /[A-Za-z0-9_]/.test(char) ? char : `\\x${byte.toString(16).padStart(2, '0')}`;
}
