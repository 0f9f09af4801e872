import type { Key } from '../../../../access/keyring.js';
import { InvalidInput } from '../../../../errors.js';
import type { SecretScan, SecretScanResult, SecretScanTarget } from '../finding.js';
import { BlockMemory } from './block-memory.js';
import { Collector } from './collector.js';
import type { CollectorState } from './collector.js';
import { KEY_WINDOW_BYTES, WINDOW_BYTES } from './compile.js';
import type { CompiledRules } from './compile.js';
import { DecodedSearch, movedMatch } from './decoded-search.js';
import { LineCounter } from './line-counter.js';
import type { LineCounterState } from './line-counter.js';
import { Matcher } from './matcher.js';
import type { Match, Probe } from './matcher.js';
import { Prefilter } from './prefilter.js';
import type { Hits } from './prefilter.js';
import { Reporter } from './reporter.js';
import type { ReporterState } from './reporter.js';
import { describeResult } from './result.js';
import { Stretch } from './stretch.js';
import { encodingOf, narrowUtf16, sourceOffset } from './text-encoding.js';
import type { TextEncoding } from './text-encoding.js';

/** What every scan of one scanner shares. */
export interface ScanSettings {
  readonly rules: CompiledRules;
  readonly fingerprintKey: Buffer;
  readonly fingerprintKeyId: string;
  /** Absent where nobody asks providers. */
  readonly sealingKey?: Key | undefined;
  /** Milliseconds that only ever grow. */
  readonly monotonicMs: () => number;
  /** How long one rule may take for one block of 64 KB before it is switched off for the object. */
  readonly ruleBudgetMs: number;
  readonly maxFindings: number;
  readonly probe?: Probe;
}

/** Everything that a scan needs to go on elsewhere, but for the bytes from `resumeAt` on. Holds no secret, but what a finding holds sealed. */
export interface Checkpoint {
  /** Position in the object, in bytes, from which the bytes must be written again. */
  readonly resumeAt: number;
  readonly encoding: TextEncoding | undefined;
  readonly base: number;
  readonly nextBlock: number;
  readonly prefilterState: number;
  readonly bytesScanned: number;
  readonly lines: LineCounterState;
  readonly lastEnd: Float64Array;
  readonly expired: readonly number[];
  readonly isCutShort: boolean;
  readonly pending: readonly Match[];
  readonly collector: CollectorState;
  readonly reporter: ReporterState;
}

// 64 KB blocks: what is searched through whole, for want of a literal to anchor at, costs more in larger ones.
const BLOCK = 64 * 1024;
const LINE_CONTEXT = 1024;
// A later block may still find something that starts this far before it, in a rule searched through whole blocks.
const UNSETTLED = WINDOW_BYTES + 64;
// An encoded stretch that reaches into a block is decoded from so far before it on.
const DECODED_BEFORE = WINDOW_BYTES;
// What a block finds so far beyond its borders, its neighbour may find too; it is reported once.
const DECODED_BEYOND = 512;
const LEFT = 3 * WINDOW_BYTES + 2 * LINE_CONTEXT;
const RIGHT = KEY_WINDOW_BYTES + 2 * LINE_CONTEXT;
const BUFFER_BYTES = LEFT + BLOCK + RIGHT;
const NOTHING = Buffer.alloc(0);

/**
 * Scans one object in constant memory (some 90 KB and the findings).
 *
 * The stream is cut into blocks at fixed positions of the object, never where a chunk happens to end, and each block
 * is judged with the same bytes before and after it in sight. So the findings are the same for every way of cutting
 * the stream into chunks, and a secret across a border is found like any other.
 *
 * `npm run bench:scan` measures it.
 */
export class ByteScan implements SecretScan {
  /** Grows to `BUFFER_BYTES`, which a small object never needs. */
  #buffer: Buffer = NOTHING;
  readonly #hits: Hits;
  readonly #matcher: Matcher;
  readonly #decoded: DecodedSearch;
  readonly #reporter: Reporter;
  readonly #collector: Collector;
  readonly #lines: LineCounter;
  #encoding: TextEncoding | undefined;
  /** Bytes that wait for the byte-order mark or the second half of a code unit. */
  #carry: Buffer = NOTHING;
  /** Position of the buffer's first byte in the scanned text. */
  #base = 0;
  #filled = 0;
  #nextBlock = 0;
  #state = Prefilter.start;
  #pending: Match[] = [];
  #bytesScanned = 0;
  #ended = false;

  constructor(
    private readonly settings: ScanSettings,
    target: SecretScanTarget,
    saved?: Checkpoint,
    /** Rules that another scan of this object had to give up; they stay off and are reported as not covered. */
    expired: readonly number[] = [],
  ) {
    const { rules } = settings;
    this.#hits = BlockMemory.of(rules).hits;
    this.#collector = new Collector(settings.maxFindings, saved?.collector);
    this.#reporter = new Reporter(settings, target, this.#collector, saved?.reporter);
    this.#lines = new LineCounter(saved?.lines);
    this.#matcher = new Matcher(
      rules,
      settings.monotonicMs,
      settings.ruleBudgetMs,
      settings.probe,
      this.#reporter.silentRules().map((rule) => rule.index),
      saved,
      expired,
    );
    this.#decoded = new DecodedSearch(rules, this.#matcher, saved?.isCutShort);
    if (saved === undefined) {
      this.#reporter.reportPath();
      return;
    }
    this.#encoding = saved.encoding;
    this.#base = saved.base;
    this.#nextBlock = saved.nextBlock;
    this.#state = saved.prefilterState;
    this.#pending = [...saved.pending];
    this.#bytesScanned = saved.bytesScanned;
  }

  /** What another scan of the same object needs to take over here. Not once the scan has ended. */
  checkpoint(): Checkpoint {
    const resumeAt = this.#encoding === undefined ? 0 : sourceOffset(this.#encoding, this.#base);
    return {
      resumeAt,
      encoding: this.#encoding,
      base: this.#base,
      nextBlock: this.#nextBlock,
      prefilterState: this.#state,
      // What is written again will be counted again.
      bytesScanned: resumeAt,
      lines: this.#lines.state,
      lastEnd: this.#matcher.lastEnds,
      expired: [...this.#matcher.expired],
      isCutShort: this.#decoded.isCutShort,
      pending: this.#pending,
      collector: this.#collector.state,
      reporter: this.#reporter.state,
    };
  }

  write(chunk: Uint8Array): void {
    if (this.#ended) throw new InvalidInput('The scan has ended: open a new one for another object.');
    this.#bytesScanned += chunk.length;
    if (this.#encoding === 'bytes') return this.#append(chunk);
    this.#carry = this.#carry.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#carry, chunk]);
    if (this.#encoding === undefined) this.#detectEncoding(false);
    this.#drainCarry();
  }

  end(): Promise<SecretScanResult> {
    if (this.#ended) throw new InvalidInput('The scan has ended already.');
    this.#detectEncoding(true);
    this.#drainCarry();
    while (this.#nextBlock < this.#base + this.#filled)
      this.#finishBlock(Math.min(this.#nextBlock + BLOCK, this.#base + this.#filled));
    this.#report(Infinity);
    this.#lines.advance(this.#buffer, this.#base, this.#base + this.#filled);
    this.#ended = true;
    return Promise.resolve(
      describeResult(this.settings.rules, this.#collector, {
        bytesScanned: this.#bytesScanned,
        lines: this.#lines.lines,
        markedAllowed: this.#reporter.markedAllowed,
        expired: [...this.#matcher.expired],
        isCutShort: this.#decoded.isCutShort,
      }),
    );
  }

  abort(): void {
    this.#ended = true;
  }

  #detectEncoding(isEnd: boolean): void {
    if (this.#encoding !== undefined || (this.#carry.length < 2 && !isEnd)) return;
    this.#encoding = encodingOf(this.#carry);
    if (this.#encoding !== 'bytes') this.#carry = this.#carry.subarray(2);
  }

  #drainCarry(): void {
    if (this.#encoding === undefined || this.#carry.length === 0) return;
    const encoding = this.#encoding;
    const ready = encoding === 'bytes' ? this.#carry : this.#carry.subarray(0, this.#carry.length & ~1);
    const rest =
      ready.length === this.#carry.length ? NOTHING : Buffer.from(this.#carry.subarray(ready.length));
    this.#append(encoding === 'bytes' ? ready : narrowUtf16(ready, encoding));
    this.#carry = rest;
  }

  #append(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length);
    for (let taken = 0; taken < bytes.length;) {
      const room = Math.min(this.#buffer.length - this.#filled, bytes.length - taken);
      this.#buffer.set(bytes.subarray(taken, taken + room), this.#filled);
      this.#filled += room;
      taken += room;
      const blockEnd = this.#nextBlock + BLOCK;
      if (this.#base + this.#filled >= blockEnd + RIGHT) this.#finishBlock(blockEnd);
    }
  }

  #makeRoom(moreBytes: number): void {
    const wanted = Math.min(BUFFER_BYTES, this.#filled + moreBytes);
    if (wanted <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.min(BUFFER_BYTES, Math.max(wanted, 2 * this.#buffer.length)));
    this.#buffer.copy(grown, 0, 0, this.#filled);
    this.#buffer = grown;
  }

  #finishBlock(blockEnd: number): void {
    const base = this.#base;
    this.#hits.clear();
    this.#state = this.settings.rules.prefilter.run(
      this.#buffer,
      this.#nextBlock - base,
      blockEnd - base,
      this.#state,
      this.#hits,
    );
    const stretch = new Stretch(this.#buffer, 0, this.#visible(blockEnd), base, this.#hits);
    this.#matcher.begin(stretch);
    this.#pending.push(...this.#matcher.matchBlock(stretch, this.#nextBlock, blockEnd));
    this.#searchDecoded(stretch, blockEnd);
    this.#report(blockEnd - UNSETTLED);
    this.#nextBlock = blockEnd;
    const keepFrom = Math.max(base, blockEnd - LEFT);
    this.#lines.advance(this.#buffer, base, keepFrom);
    this.#buffer.copyWithin(0, keepFrom - base, this.#filled);
    this.#filled -= keepFrom - base;
    this.#base = keepFrom;
  }

  #searchDecoded(stretch: Stretch, blockEnd: number): void {
    const { base } = stretch;
    const from = this.#nextBlock - base;
    const found = this.#decoded.search(stretch, {
      from,
      to: blockEnd - base,
      back: Math.max(0, from - DECODED_BEFORE),
    });
    for (const match of found)
      if (match.start >= from - DECODED_BEYOND && match.start < blockEnd - base + DECODED_BEYOND)
        this.#pending.push(movedMatch(match, base));
  }

  /** A block sees the same bytes after it whether or not more have come already. */
  #visible(blockEnd: number): number {
    return Math.min(this.#filled, blockEnd + RIGHT - this.#base);
  }

  /**
   * Reports the matches that start before a position. Later ones wait: the next block may find something before
   * them, and no excerpt may show a neighbour.
   */
  #report(before: number): void {
    const ready = this.#pending.filter((match) => match.start < before);
    if (ready.length === 0) return;
    this.#pending = this.#pending.filter((match) => match.start >= before);
    this.#reporter.report(
      ready,
      this.#buffer,
      this.#base,
      this.#filled,
      this.#lines,
      this.#encoding ?? 'bytes',
    );
  }
}
