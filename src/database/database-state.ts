import { remedyOf, troubleOf, type TroubleKind } from './trouble.js';

/** What a success shows: that it answers, that it stores, or that it stores what needs new room. */
export type Proof = 'read' | 'write' | 'growth';

/** The part of pino that the state uses. */
export interface StateLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

export interface Condition {
  readonly kind: TroubleKind | 'ok';
  readonly forMs: number;
  /** Failed tries since it began. */
  readonly failures: number;
  /** What the last of them said. */
  readonly said: string | undefined;
}

// A disk that is full takes small changes now and then; only after this long without a refusal do they prove anything.
const QUIET_MS = 15_000;
// A connection that was open already works on beside those that are refused.
const ROOM_MS = 5_000;
const MAX_CAUSES = 6;

// By identity, so that whoever meets such an error later knows that it was told.
const told = new WeakSet<Error>();

/** Whether an error, or what caused it, is a try that a `DatabaseState` counted and told of. */
export function isTold(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth++) {
    if (told.has(current)) return true;
    current = current.cause;
  }
  return false;
}

/**
 * How PostgreSQL is, told from what becomes of our own statements: one line in the log per change, a counter for the
 * tries in between.
 */
export class DatabaseState {
  private kind: TroubleKind | 'ok' = 'ok';
  private since = performance.now();
  private failures = 0;
  private said: string | undefined;
  private failedAt = -Infinity;
  private readonly totals = new Map<TroubleKind, number>();
  private readonly listeners: (() => void)[] = [];

  constructor(private readonly log?: StateLog) {}

  /** Cheap enough to ask after every statement. */
  get isTroubled(): boolean {
    return this.kind !== 'ok';
  }

  get condition(): Condition {
    const { kind, failures, said } = this;
    return { kind, failures, said, forMs: Math.round(performance.now() - this.since) };
  }

  /** Failed tries since the start of the process, by kind. */
  get failureTotals(): ReadonlyMap<TroubleKind, number> {
    return this.totals;
  }

  /** Calls when a trouble begins whose connections may all be dead, however alive they look. */
  onLost(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** A try failed. @returns what it says about PostgreSQL; nothing when the fault is the statement's own. */
  failed(error: unknown): TroubleKind | undefined {
    const kind = troubleOf(error);
    if (kind === undefined || !(error instanceof Error)) return undefined;
    if (told.has(error)) return kind;
    told.add(error);
    this.totals.set(kind, (this.totals.get(kind) ?? 0) + 1);
    this.failedAt = performance.now();
    this.said = error.message;
    // A statement that is too slow says nothing new about a server that is known to be in trouble.
    if (this.kind === kind || (kind === 'slow' && this.kind !== 'ok')) {
      this.failures += 1;
      return kind;
    }
    this.begin(kind);
    this.failures = 1;
    this.log?.warn(
      { state: kind, error: error.message, remedy: remedyOf(kind) },
      'PostgreSQL is in trouble; what waits for it is tried again',
    );
    if (kind !== 'full' && kind !== 'crowded') for (const listener of this.listeners) listener();
    return kind;
  }

  /** A try succeeded. Ends the trouble when it proves that it is over. */
  succeeded(proof: Proof): void {
    if (this.kind === 'ok' || !this.isProven(proof)) return;
    const { kind: was, failures } = this;
    const forMs = Math.round(performance.now() - this.since);
    this.begin('ok');
    this.failures = 0;
    this.said = undefined;
    this.log?.info({ state: 'ok', was, failures, forMs }, 'PostgreSQL does its work again');
  }

  private isProven(proof: Proof): boolean {
    if (this.kind === 'read-only') return proof !== 'read';
    if (this.kind === 'crowded') return performance.now() - this.failedAt > ROOM_MS;
    if (this.kind !== 'full') return true;
    return proof === 'growth' || (proof === 'write' && performance.now() - this.failedAt > QUIET_MS);
  }

  private begin(kind: TroubleKind | 'ok'): void {
    this.kind = kind;
    this.since = performance.now();
  }
}
