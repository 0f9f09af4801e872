import { createHmac } from 'node:crypto';
import { sealText } from '../../../../access/sealing.js';
import type { SecretFinding, SecretScanTarget } from '../finding.js';
import type { Allowlist } from '../rules/rule.js';
import { allows, allowsPath, isMarkedAllowed } from './allow.js';
import type { ScanSettings } from './byte-scan.js';
import type { Collector } from './collector.js';
import type { CompiledRule } from './compile.js';
import { encodingsOf, resolvePlace } from './decode/layer.js';
import { WINDOW_BYTES } from './compile.js';
import { confidenceOf } from './confidence.js';
import { entropyOf } from './entropy.js';
import { EXCERPT_CONTEXT, maskedExcerpt } from './excerpt.js';
import type { LineCounter } from './line-counter.js';
import type { Match } from './matcher.js';
import { sourceLength, sourceOffset } from './text-encoding.js';
import type { TextEncoding } from './text-encoding.js';

interface Span {
  readonly start: number;
  readonly end: number;
}

export interface ReporterState {
  readonly markedAllowed: number;
  readonly recent: readonly Span[];
}

// What fits into a header as it is.
const SENDABLE = /^[\x21-\x7e]{1,1000}$/;

// How much of a line is looked at to each side of a match, for allowlists and inline marks.
const LINE_CONTEXT = 1024;

/** Turns matches into findings: asks allowlists and entropy, weighs confidence, masks, signs. */
export class Reporter {
  readonly #path: string;
  #markedAllowed: number;
  /** Where secrets stood of late, so that no excerpt shows a part of one. */
  #recent: Span[];

  constructor(
    private readonly settings: ScanSettings,
    private readonly target: SecretScanTarget,
    private readonly collector: Collector,
    saved?: ReporterState,
  ) {
    this.#path = Buffer.from(target.path, 'utf8').toString('latin1');
    this.#markedAllowed = saved?.markedAllowed ?? 0;
    this.#recent = [...(saved?.recent ?? [])];
  }

  get markedAllowed(): number {
    return this.#markedAllowed;
  }

  get state(): ReporterState {
    return { markedAllowed: this.#markedAllowed, recent: this.#recent };
  }

  /** Rules that have nothing to say about an object of this name. */
  silentRules(): readonly CompiledRule[] {
    const { set, all, choosy } = this.settings.rules;
    if (this.#isAllowedBy(set.allowlists)) return all;
    return choosy.filter((rule) => !this.#concernsPath(rule));
  }

  #concernsPath({ rule }: CompiledRule): boolean {
    if (rule.path !== undefined && !rule.path.test(this.#path)) return false;
    return !this.#isAllowedBy(rule.allowlists);
  }

  #isAllowedBy(lists: readonly Allowlist[]): boolean {
    return lists.some((list) => allowsPath(list, this.#path));
  }

  #allowlists(own: readonly Allowlist[]): readonly Allowlist[] {
    return [...own, ...this.settings.rules.set.allowlists];
  }

  /** Reports the rules that judge by the name alone, such as those for key stores. */
  reportPath(): void {
    const { set, byPath } = this.settings.rules;
    if (this.#isAllowedBy(set.allowlists)) return;
    for (const compiled of byPath) {
      if (!this.#concernsPath(compiled)) continue;
      const location = this.#located({ line: 1, column: 1, byteOffset: 0, byteLength: 0 });
      this.collector.add({
        finding: {
          ...describeRule(compiled),
          confidence: compiled.rule.confidence,
          location,
          maskedExcerpt: 'The name of the file says it.',
          fingerprint: this.#fingerprint(`path\0${this.#path}`),
        },
        ruleIndex: compiled.index,
        generic: compiled.rule.generic,
        isDecoded: false,
        start: 0,
        end: 0,
      });
    }
  }

  /** Reports matches of which no later one can stand before any; `bytes` holds the text from `base` on. */
  report(
    matches: readonly Match[],
    bytes: Buffer,
    base: number,
    filled: number,
    lines: LineCounter,
    encoding: TextEncoding,
  ): void {
    const sorted = [...matches].sort((a, b) => a.start - b.start || a.ruleIndex - b.ruleIndex);
    this.#recent.push(...sorted.map(({ start, end }) => ({ start, end })));
    const text = bytes.subarray(0, filled);
    for (const match of sorted) this.#reportOne(match, text, base, lines, encoding);
    const horizon = (sorted[0]?.start ?? 0) - 2 * WINDOW_BYTES;
    this.#recent = this.#recent.filter((span) => span.end > horizon);
  }

  #reportOne(match: Match, bytes: Buffer, base: number, lines: LineCounter, encoding: TextEncoding): void {
    const compiled = this.settings.rules.all[match.ruleIndex]!;
    const { rule } = compiled;
    const { decoded } = match;
    const secret =
      decoded === undefined
        ? bytes.toString('latin1', match.start - base, match.end - base)
        : resolvePlace(bytes, base, decoded.secret).toString('latin1');
    if (rule.entropy > 0 && entropyOf(secret) <= rule.entropy) return;
    const line = lineAround(bytes, match.matchStart - base, match.matchEnd - base);
    const whole =
      decoded === undefined
        ? bytes.toString('latin1', match.matchStart - base, match.matchEnd - base)
        : resolvePlace(bytes, base, decoded.whole).toString('latin1');
    const candidate = { secret, match: whole, line, path: this.#path };
    if (this.#allowlists(rule.allowlists).some((list) => allows(list, candidate))) return;
    if (isMarkedAllowed(line)) this.#markedAllowed++;
    const contextStart = Math.max(base, match.start - EXCERPT_CONTEXT);
    const before = bytes.toString('latin1', contextStart - base, match.start - base);
    const lineBefore = before.slice(before.lastIndexOf('\n') + 1);
    const fingerprint = this.#fingerprint(secret);
    const finding: SecretFinding = {
      ...describeRule(compiled),
      confidence: confidenceOf(rule, secret, lineBefore),
      location: this.#located({
        ...lines.locate(bytes, base, match.start),
        byteOffset: sourceOffset(encoding, match.start),
        byteLength: sourceLength(encoding, match.end - match.start),
      }),
      maskedExcerpt: maskedExcerpt(
        secret,
        publicPrefix(compiled, secret),
        lineBefore,
        this.#clearFrom(match, match.start - lineBefore.length),
      ),
      fingerprint,
      ...this.#sealed(compiled, secret, fingerprint),
      ...(decoded === undefined ? {} : { encodings: encodingsOf(decoded.secret) }),
    };
    const { start, end, ruleIndex } = match;
    this.collector.add({
      finding,
      ruleIndex,
      generic: rule.generic,
      isDecoded: decoded !== undefined,
      start,
      end,
    });
  }

  /** The first place after `from` from which nothing but the match itself is known to be secret. */
  #clearFrom(match: Match, from: number): number {
    let clear = from;
    for (const span of this.#recent)
      if (span.start < match.start && span.end > clear) clear = Math.min(span.end, match.start);
    return clear - from;
  }

  #located(location: SecretFinding['location']): SecretFinding['location'] {
    return this.target.memberPath === undefined
      ? location
      : { memberPath: this.target.memberPath, ...location };
  }

  #sealed({ rule }: CompiledRule, secret: string, fingerprint: string): Pick<SecretFinding, 'sealedSecret'> {
    const { sealingKey } = this.settings;
    if (sealingKey === undefined || rule.verify === undefined || !SENDABLE.test(secret)) return {};
    return { sealedSecret: sealText(sealingKey, secret, fingerprint) };
  }

  #fingerprint(secret: string): string {
    const { fingerprintKey, fingerprintKeyId } = this.settings;
    const digest = createHmac('sha256', fingerprintKey).update('sallyport secret\0').update(secret, 'latin1');
    return `hmac-sha256:${fingerprintKeyId}:${digest.digest('hex')}`;
  }
}

function describeRule({ rule }: CompiledRule) {
  const { provider, description, severity, remediation } = rule;
  return { ruleId: rule.id, provider, description, severity, remediation };
}

/** The line or lines that a match stands on, cut at 1 KB to each side. */
function lineAround(bytes: Buffer, start: number, end: number): string {
  const from = Math.max(0, start - LINE_CONTEXT);
  const before = bytes.toString('latin1', from, start);
  const after = bytes.toString('latin1', end, Math.min(bytes.length, end + LINE_CONTEXT));
  const lineEnd = after.indexOf('\n');
  return (
    before.slice(before.lastIndexOf('\n') + 1) +
    bytes.toString('latin1', start, end) +
    (lineEnd < 0 ? after : after.slice(0, lineEnd))
  );
}

// Shorter secrets keep all of their characters to themselves.
const SHORTEST_WITH_PREFIX = 16;

/** The literal that all secrets of this rule begin with, when this one does: it is in the provider's documentation. */
function publicPrefix({ beginnings }: CompiledRule, secret: string): string {
  if (secret.length < SHORTEST_WITH_PREFIX) return '';
  const lower = secret.toLowerCase();
  return beginnings.find((text) => lower.startsWith(text)) ?? '';
}
