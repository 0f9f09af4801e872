import type { ByteSet } from '../regex/byte-set.js';
import { emitPattern } from '../regex/emit.js';
import { openingOf } from '../regex/opening.js';
import { exactBeginnings, findAnchor, maxLength, splitOptionalPrefix } from '../regex/measure.js';
import type { Pattern } from '../regex/pattern.js';
import type { SecretRule, SecretRuleSet } from '../rules/rule.js';
import { base64Literals } from './decode/base64-fragments.js';
import type { Base64Literal } from './decode/base64-fragments.js';
import { TRIGGERS } from './decode/triggers.js';
import type { Trigger } from './decode/triggers.js';
import { Prefilter } from './prefilter.js';

/** The longest match that a rule may have; an unbounded pattern sees no further than this from where it starts. */
export const WINDOW_BYTES = 4 * 1024;
/** The same for armoured keys, whose 8192-bit RSA form is 6.4 KB long. */
export const KEY_WINDOW_BYTES = 16 * 1024;

/** What a literal is looked for, as flags of the prefilter. */
export const ANCHORED = 1;
export const ENCODED = 2;
export const KEYWORD = 4;
export const TRIGGER = 8;

// Behind its literal, a few more bytes tell most of what is no match.
const OPENING_BYTES = 16;

/** How the engine looks for one rule's pattern. */
export interface CompiledRule {
  readonly index: number;
  readonly rule: SecretRule;
  /**
   * `anchored`: tried exactly where a literal of it stands. `block`: searched through each block that holds a
   * keyword. `path`: the path alone decides.
   */
  readonly strategy: 'anchored' | 'block' | 'path';
  /** Sticky for `anchored`, global for `block`. */
  readonly regex: RegExp;
  /** The same pattern, sticky and with the spans of its captures: slower, so only run on what matched. */
  readonly located: RegExp;
  /** For `anchored`: the bytes that each of the first places of a match may hold. */
  readonly opening: readonly ByteSet[];
  /** How far from its start a match can reach, in bytes. */
  readonly windowBytes: number;
  /** The pattern could reach further than its window, so it is shown no more than that. */
  readonly clipped: boolean;
  /** Bytes that belong to the match when they stand directly before it, and how many at most. */
  readonly prefix: ByteSet | undefined;
  readonly maxPrefix: number;
  /** The literals that every match begins with one of, lower case; empty when there are none. */
  readonly beginnings: readonly string[];
  /** How far after the start of a match the literal stands that it is found by. */
  readonly minOffset: number;
  readonly maxOffset: number;
  /** Keywords of which one must stand in the block; empty when the literal beginning implies it. */
  readonly keywords: ReadonlySet<number>;
}

/** What one literal of the prefilter means. */
export interface Literal {
  readonly text: string;
  /** Rules to try where this stands. */
  readonly anchored: CompiledRule[];
  /** Rules whose own literal stands here in base64. */
  readonly encoded: EncodedRule[];
  /** Set for what a character begins with that is not written in clear. */
  readonly trigger?: Trigger;
}

export interface EncodedRule {
  readonly rule: CompiledRule;
  readonly fragment: Base64Literal;
}

export interface CompiledRules {
  readonly set: SecretRuleSet;
  readonly all: readonly CompiledRule[];
  readonly block: readonly CompiledRule[];
  readonly byPath: readonly CompiledRule[];
  /** Rules that search some objects and leave others alone, as their names say. */
  readonly choosy: readonly CompiledRule[];
  readonly literals: readonly Literal[];
  /** The first of the triggers, which stand last among the literals. */
  readonly firstTrigger: number;
  readonly prefilter: Prefilter;
  /** Rules of `block` that want no keyword. */
  readonly searchedAlways: readonly CompiledRule[];
}

/** Turns rules into what the engine runs. Costs some 20 ms for 200 rules: do it once per process. */
export function compileRules(set: SecretRuleSet): CompiledRules {
  const literals = new Literals();
  const all = set.rules.map((rule, index) => compileRule(rule, index, literals));
  const keywords = new Set(all.flatMap((rule) => [...rule.keywords]));
  const block = all.filter((rule) => rule.strategy === 'block');
  const firstTrigger = literals.list.length;
  literals.list.push(
    ...TRIGGERS.map((trigger) => ({ text: trigger.text, anchored: [], encoded: [], trigger })),
  );
  return {
    set,
    all,
    block,
    searchedAlways: block.filter((rule) => rule.rule.keywords.length === 0),
    firstTrigger,
    byPath: all.filter((rule) => rule.strategy === 'path'),
    choosy: all.filter(
      ({ rule }) => rule.path !== undefined || rule.allowlists.some(({ paths }) => paths.length > 0),
    ),
    literals: literals.list,
    prefilter: new Prefilter(
      literals.list.map((literal) => literal.text),
      literals.list.map((literal, index) => kindsOf(literal) | (keywords.has(index) ? KEYWORD : 0)),
    ),
  };
}

const kindsOf = ({ anchored, encoded, trigger }: Literal): number =>
  (anchored.length > 0 ? ANCHORED : 0) |
  (encoded.length > 0 ? ENCODED : 0) |
  (trigger === undefined ? 0 : TRIGGER);

class Literals {
  readonly list: Literal[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.list.length);
    return this.list.push({ text, anchored: [], encoded: [] }) - 1;
  }
}

function compileRule(rule: SecretRule, index: number, literals: Literals): CompiledRule {
  if (rule.pattern === undefined) return { ...unanchored(rule, index, undefined), strategy: 'path' };
  const split = splitOptionalPrefix(rule.pattern);
  const pattern = split?.rest ?? rule.pattern;
  const anchor = findAnchor(pattern);
  if (anchor === undefined) {
    const keywords = new Set(rule.keywords.map((keyword) => literals.numberOf(latin1(keyword))));
    return { ...unanchored(rule, index, rule.pattern), keywords };
  }
  const beginnings = anchor.literals;
  const implied = beginnings.every((text) => rule.keywords.some((keyword) => text.includes(latin1(keyword))));
  const windowBytes = beginnings.every((text) => text.startsWith('-----')) ? KEY_WINDOW_BYTES : WINDOW_BYTES;
  const compiled: CompiledRule = {
    index,
    rule,
    strategy: 'anchored',
    regex: new RegExp(emitPattern(pattern), 'y'),
    located: new RegExp(emitPattern(pattern), 'yd'),
    opening: openingOf(pattern, OPENING_BYTES),
    windowBytes,
    clipped: maxLength(pattern) > windowBytes,
    prefix: split?.prefix,
    maxPrefix: split?.maxPrefix ?? 0,
    beginnings: anchor.maxOffset === 0 ? beginnings : [],
    minOffset: anchor.minOffset,
    maxOffset: anchor.maxOffset,
    keywords:
      implied || rule.keywords.length === 0
        ? new Set()
        : new Set(rule.keywords.map((keyword) => literals.numberOf(latin1(keyword)))),
  };
  for (const text of beginnings) literals.list[literals.numberOf(text)]!.anchored.push(compiled);
  if (rule.confidence === 'high' && compiled.keywords.size === 0) addEncoded(compiled, pattern, literals);
  return compiled;
}

// A rule with more spellings of its beginning would fill the prefilter for little.
const MAX_ENCODED_SPELLINGS = 8;

/** Lets a rule for one certain format be found inside base64 too, as secrets of Kubernetes and CI systems are kept. */
function addEncoded(rule: CompiledRule, pattern: Pattern, literals: Literals): void {
  const spellings = exactBeginnings(pattern);
  if (spellings === undefined || spellings.length > MAX_ENCODED_SPELLINGS) return;
  for (const fragment of spellings.filter((text) => text.length >= 4).flatMap(base64Literals))
    literals.list[literals.numberOf(fragment.text.toLowerCase())]!.encoded.push({ rule, fragment });
}

function unanchored(rule: SecretRule, index: number, pattern: Pattern | undefined): CompiledRule {
  // Without a pattern nothing ever matches: such a rule is asked for its path only.
  const source = pattern === undefined ? '(?!)' : emitPattern(pattern);
  return {
    index,
    rule,
    strategy: 'block',
    regex: new RegExp(source, 'g'),
    located: new RegExp(source, 'yd'),
    opening: [],
    windowBytes: WINDOW_BYTES,
    clipped: false,
    prefix: undefined,
    maxPrefix: 0,
    beginnings: [],
    minOffset: 0,
    maxOffset: 0,
    keywords: new Set(),
  };
}

/** Keywords are matched as the bytes that they have in UTF-8, as the text is. */
const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
