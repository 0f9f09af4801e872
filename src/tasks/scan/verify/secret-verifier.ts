import { LRUCache } from 'lru-cache';
import { openText } from '../../../access/sealing.js';
import type { Clock, Instant } from '../../../clock.js';
import type { Egress, EgressRequest } from '../../../outbound/egress/egress.js';
import type { Verified } from '../../../verdicts/ledger.js';
import { wholeMilliseconds } from '../../../verdicts/whole-milliseconds.js';
import type { Verification } from '../secret-scanner-source.js';
import type { VerifySpec } from '../secrets/rules/schema.js';
import { judgeProvider } from './judge-provider.js';

/** A found secret that its provider can be asked about; sealed, so that it can be held without being told. */
export interface Verifiable {
  readonly fingerprint: string;
  readonly ruleId: string;
  readonly sealed: string;
}

// One object may hold a thousand tokens; twenty answers tell whoever has to act enough.
const MAX_ASKED = 20;
// Of one object in all. A scan must not wait longer for an answer that changes little.
const OBJECT_MS = 30_000;
const ANSWER_MS = 5_000;
const ANSWER_BYTES = 256 * 1024;
// Two a second from one process: below what every provider allows anybody.
const HOST_PAUSE_MS = 500;
// After "too many requests".
const HOST_REST_MS = 60_000;
const REMEMBERED = 10_000;
const REMEMBERED_MS = 3_600_000;
const AGENT = 'sallyport secret verification';

/**
 * Asks providers whether secrets are in use: each secret its own provider, at an address that its rule names and whose host
 * the operator allows, through the egress guard, without following redirects. What was said is kept; the secret is in
 * no error and no log, because nothing is told of what went wrong.
 */
export class SecretVerifier {
  private readonly nextTurns = new Map<string, Instant>();
  private readonly remembered = new LRUCache<string, Verified>({ max: REMEMBERED });

  /** @param verification absent where nobody is to be asked. */
  constructor(
    private readonly verification: Verification | undefined,
    private readonly hosts: readonly string[],
    private readonly egress: Pick<Egress, 'fetch'>,
    private readonly clock: Clock,
  ) {}

  /** Hosts that are allowed and that no rule asks: mistyped, most likely. */
  get idleHosts(): readonly string[] {
    if (this.verification === undefined) return [];
    const asked = new Set([...this.verification.specs.values()].map(hostOf));
    return this.hosts.filter((host) => !asked.has(host));
  }

  /** What the providers say, by fingerprint; nothing of those that nobody may be asked about. */
  async verify(found: readonly Verifiable[], signal: AbortSignal): Promise<ReadonlyMap<string, Verified>> {
    const answers = new Map<string, Verified>();
    const deadline = this.clock.now() + OBJECT_MS;
    let asked = 0;
    for (const one of found) {
      const spec = this.specOf(one);
      if (spec === undefined || answers.has(one.fingerprint)) continue;
      const known = this.known(one.fingerprint);
      const mayAsk = known === undefined && asked < MAX_ASKED;
      if (mayAsk) asked += 1;
      answers.set(
        one.fingerprint,
        known ?? (mayAsk ? await this.ask(one, spec, deadline, signal) : this.unknown()),
      );
      signal.throwIfAborted();
    }
    return answers;
  }

  private specOf({ ruleId }: Verifiable): VerifySpec | undefined {
    const spec = this.verification?.specs.get(ruleId);
    return spec !== undefined && this.hosts.includes(hostOf(spec)) ? spec : undefined;
  }

  private known(fingerprint: string): Verified | undefined {
    const known = this.remembered.get(fingerprint);
    return known !== undefined && this.clock.now() < known.at + REMEMBERED_MS ? known : undefined;
  }

  private async ask(
    one: Verifiable,
    spec: VerifySpec,
    deadline: Instant,
    signal: AbortSignal,
  ): Promise<Verified> {
    const host = hostOf(spec);
    const turn = Math.max(this.clock.now(), this.nextTurns.get(host) ?? 0);
    if (turn >= deadline) return this.unknown();
    this.nextTurns.set(host, turn + HOST_PAUSE_MS);
    await this.clock.sleepUntil(turn, signal);
    signal.throwIfAborted();
    const state = await this.answer(one, spec, Math.min(ANSWER_MS, deadline - turn));
    const verified = { state, at: wholeMilliseconds(this.clock) };
    if (state !== 'unknown') this.remembered.set(one.fingerprint, verified);
    return verified;
  }

  private async answer(one: Verifiable, spec: VerifySpec, timeoutMs: number): Promise<Verified['state']> {
    try {
      const { status, body } = await this.egress.fetch({
        ...this.requestOf(one, spec),
        timeoutMs,
        maxBytes: ANSWER_BYTES,
        maxRedirects: 0,
      });
      if (status === 429) this.nextTurns.set(hostOf(spec), this.clock.now() + HOST_REST_MS);
      return judgeProvider(spec, status, body.toString('utf8'));
    } catch {
      // Refused, unreachable, too large or too slow: nothing is known, and no message may quote what was sent.
      return 'unknown';
    }
  }

  private requestOf(
    { sealed, fingerprint }: Verifiable,
    { method, url, headers }: VerifySpec,
  ): Pick<EgressRequest, 'method' | 'url' | 'headers'> {
    const secret = openText({ named: () => this.verification?.key }, sealed, fingerprint);
    return {
      method,
      url: url.replaceAll('{secret}', () => encodeURIComponent(secret)),
      headers: {
        'user-agent': AGENT,
        ...Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [name, value.replaceAll('{secret}', () => secret)]),
        ),
      },
    };
  }

  private unknown(): Verified {
    return { state: 'unknown', at: wholeMilliseconds(this.clock) };
  }
}

/** Of an address whose host does not depend on the secret; the schema of rules sees to that. */
const hostOf = ({ url }: VerifySpec): string => new URL(url.replaceAll('{secret}', 'x')).host;
