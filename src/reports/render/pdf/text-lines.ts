import bidiFactory from 'bidi-js';
import { visible } from '../../../outbound/safe-text.js';
import { MAX_SHOWN } from '../html/markup.js';
import type { FontSet } from './fonts.js';

export interface TextStyle {
  readonly size: number;
  readonly isBold: boolean;
}

/** Text of one font, drawn from left to right as it stands here. */
export interface Piece {
  readonly text: string;
  readonly font: string;
  readonly width: number;
}

export interface TextLine {
  readonly pieces: readonly Piece[];
  readonly width: number;
  /** As it is read, where it is drawn in another order. */
  readonly logical: string | undefined;
}

/** Width of a text in one font. */
export type Measure = (text: string, font: string, size: number) => number;

interface Character {
  readonly text: string;
  readonly font: string;
  readonly level: number;
}

// Hebrew, Arabic, Syriac, Thaana, N'Ko and their presentation forms; what else runs from the right has no font here.
const FROM_THE_RIGHT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/;
// Its types tell of a module with a default; it is the function itself.
const bidi = (bidiFactory as unknown as typeof bidiFactory.default)();

/**
 * Lines of at most `width`, each in the order in which it is drawn. Every character can be seen: one that no font has stands
 * as its number, as hidden ones do. Words too long for a line are broken wherever the line ends; nothing is left out.
 */
export function textLines(
  text: string,
  style: TextStyle,
  width: number,
  fonts: FontSet,
  measure: Measure,
): TextLine[] {
  const characters = charactersOf(text, style, fonts);
  const lines: TextLine[] = [];
  let line: Character[] = [];
  let used = 0;
  const finish = (): void => {
    lines.push(lineOf(line, style, measure));
    line = [];
    used = 0;
  };
  for (const word of wordsOf(characters)) {
    const wide = widthOf(trimmed(word), style, measure);
    if (used > 0 && used + wide > width) finish();
    if (wide <= width) {
      line.push(...word);
      used += widthOf(word, style, measure);
      continue;
    }
    for (const character of word) {
      const own = measure(character.text, character.font, style.size);
      if (used > 0 && used + own > width) finish();
      line.push(character);
      used += own;
    }
  }
  if (line.length > 0 || lines.length === 0) finish();
  return lines;
}

/** With the marks on a letter as one character, so that no line begins with a mark. */
function charactersOf(text: string, style: TextStyle, fonts: FontSet): Character[] {
  const shown = shownText(text, style, fonts);
  const levels = FROM_THE_RIGHT.test(shown) ? bidi.getEmbeddingLevels(shown, 'ltr').levels : undefined;
  const characters: Character[] = [];
  for (const { 0: letter, index } of shown.matchAll(/.\p{M}*/gsu)) {
    const level = levels?.[index] ?? 0;
    const font = fontOf(letter, style, fonts);
    if (Array.from(letter).every((part) => font.has(part.codePointAt(0) ?? 0)))
      characters.push({ text: letter, font: font.name, level });
    // A mark that the letter's font does not have stands beside it rather than nowhere.
    else
      for (const part of letter)
        characters.push({ text: part, font: fontOf(part, style, fonts).name, level });
  }
  return characters;
}

function fontOf(text: string, { isBold }: TextStyle, fonts: FontSet) {
  const font = fonts.fontFor(text.codePointAt(0) ?? 0, isBold);
  if (font === undefined) throw new Error('A character without a font is shown as its number');
  return font;
}

const shownText = (text: string, { isBold }: TextStyle, fonts: FontSet): string =>
  visible(text, MAX_SHOWN).replace(/[^\x20-\x7e]/gu, (character) => {
    const codePoint = character.codePointAt(0) ?? 0;
    return fonts.fontFor(codePoint, isBold) === undefined ? `\\u{${codePoint.toString(16)}}` : character;
  });

/** Words with the space behind them. */
function* wordsOf(characters: readonly Character[]): Generator<Character[]> {
  let word: Character[] = [];
  for (const character of characters) {
    if (word.length > 0 && isSpace(word.at(-1)) && !isSpace(character)) {
      yield word;
      word = [];
    }
    word.push(character);
  }
  if (word.length > 0) yield word;
}

const isSpace = (character: Character | undefined): boolean =>
  character !== undefined && /^\s$/u.test(character.text);

const trimmed = (word: readonly Character[]): readonly Character[] => {
  let end = word.length;
  while (end > 0 && isSpace(word[end - 1])) end -= 1;
  return word.slice(0, end);
};

const widthOf = (characters: readonly Character[], style: TextStyle, measure: Measure): number =>
  runsOf(characters).reduce((sum, run) => sum + measure(run.text, run.font, style.size), 0);

/** Neighbours of one font and level together. */
function runsOf(characters: readonly Character[]): Character[] {
  const runs: Character[] = [];
  let start = 0;
  characters.forEach((first, index) => {
    const next = characters[index + 1];
    if (next !== undefined && next.font === first.font && next.level === first.level) return;
    const text = characters.slice(start, index + 1).map((character) => character.text);
    runs.push({ text: text.join(''), font: first.font, level: first.level });
    start = index + 1;
  });
  return runs;
}

function lineOf(characters: readonly Character[], style: TextStyle, measure: Measure): TextLine {
  const shown = trimmed(characters);
  const hasRight = shown.some(({ level }) => level % 2 === 1);
  const runs = hasRight ? drawnOrder(rightAtoms(runsOf(shown))) : runsOf(shown);
  const pieces = runs.map(({ text, font }) => ({ text, font, width: measure(text, font, style.size) }));
  return {
    pieces,
    width: pieces.reduce((sum, piece) => sum + piece.width, 0),
    logical: hasRight ? shown.map(({ text }) => text).join('') : undefined,
  };
}

/**
 * A font turns the letters of a word from the right round by itself, and nothing else: so words stand alone, and so does
 * everything between them, brackets as they look from the other side.
 */
const rightAtoms = (runs: readonly Character[]): Character[] =>
  runs.flatMap((run) =>
    run.level % 2 === 0
      ? [run]
      : (run.text.match(/[\p{L}\p{M}]+|[^\p{L}\p{M}]/gsu) ?? []).map((text) => ({
          ...run,
          text: bidi.getMirroredCharacter(text) ?? text,
        })),
  );

/** Rule L2 of the bidirectional algorithm: what stands at a level or above is turned round, from the highest down. */
function drawnOrder(runs: Character[]): Character[] {
  const drawn = [...runs];
  const highest = Math.max(...drawn.map(({ level }) => level));
  for (let level = highest; level >= 1; level -= 1) {
    for (let start = 0; start < drawn.length; start += 1) {
      let end = start;
      while (end < drawn.length && (drawn[end]?.level ?? 0) >= level) end += 1;
      if (end > start) drawn.splice(start, end - start, ...drawn.slice(start, end).toReversed());
      start = Math.max(start, end);
    }
  }
  return drawn;
}
