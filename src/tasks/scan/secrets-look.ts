import { acceptedAs, withReason, type Accepted, type FoundAt } from '../../verdicts/baseline/accepted.js';
import type { Instant } from '../../clock.js';
import type { Finding, NotCovered, ScanReport, Verified } from '../../verdicts/ledger.js';
import type { ByteSink } from './archive/byte-sink.js';
import type { Member } from './archive/walk.js';
import { withInnermost } from './innermost.js';
import type { Looked, ObjectLook } from './look-at-object.js';
import type {
  NotCovered as NotSearched,
  SecretFinding,
  SecretScan,
  SecretScanner,
  SecretScanResult,
} from './secrets/finding.js';
import type { Verifiable } from './verify/secret-verifier.js';

// What the ledger keeps of one scan.
const KEPT_FINDINGS = 1_000;

/** One object's search for secrets, raw and unpacked. */
export class SecretsLook implements ObjectLook {
  findings: readonly Finding[] = [];
  total = 0;
  private high = 0;
  private accepted = 0;
  private readonly gaps: NotCovered[] = [];
  private engine: SecretScanResult['engine'] | undefined;
  /** By fingerprint: what the verifier may open, and nobody writes down. */
  private readonly sealed = new Map<string, Verifiable>();
  private readonly open_ = new Set<SecretScan>();

  constructor(
    private readonly scanner: SecretScanner,
    private readonly key: string,
  ) {}

  object(): ByteSink {
    return this.sink(this.scanner.open({ path: this.key }), '');
  }

  open({ path }: Member): ByteSink {
    return this.sink(this.scanner.open({ path, memberPath: path }), path);
  }

  /**
   * Marks what the baseline or an exception answers for: it is recorded, and counts no more than a guess would. What is found and not kept
   * goes on counting, because nobody can tell what it is.
   */
  accept(entries: readonly Accepted[], at: FoundAt, now: Instant): void {
    this.findings = this.findings.map((finding) => {
      const entry = acceptedAs(finding, at, entries, now);
      if (entry === undefined) return finding;
      if (finding.confidence === 'high') {
        this.high -= 1;
        this.accepted += 1;
      }
      return withReason(finding, entry);
    });
  }

  /** What providers can be asked about, each secret once; not what somebody answers for already. */
  verifiable(): readonly Verifiable[] {
    const open = new Set(
      this.findings.flatMap(({ accepted, fingerprint }) => (accepted === undefined ? [fingerprint] : [])),
    );
    return [...this.sealed.values()].filter(({ fingerprint }) => open.has(fingerprint));
  }

  /** Records what the providers said. One that is in use is critical, and no guess any more; nothing else changes. */
  verified(answers: ReadonlyMap<string, Verified>): void {
    if (answers.size === 0) return;
    this.findings = this.findings.map((finding) => {
      const verified = finding.accepted === undefined ? answers.get(finding.fingerprint) : undefined;
      if (verified === undefined) return finding;
      if (verified.state !== 'active') return { ...finding, verified };
      if (finding.confidence !== 'high') this.high += 1;
      return { ...finding, verified, severity: 'critical', confidence: 'high' };
    });
  }

  report(looked: Looked, sizeBytes: number): ScanReport {
    const { engine } = this;
    return {
      kind: 'secrets',
      engines:
        engine === undefined
          ? []
          : [
              {
                name: engine.name,
                version: engine.version,
                database: `${engine.ruleCount} rules, ${engine.digest.slice(0, 16)}`,
              },
            ],
      bytesScanned: looked.bytes,
      bytesTotal: sizeBytes,
      members: looked.members,
      sha256: looked.sha256,
      notCovered: [...looked.notCovered, ...this.gaps],
      counts: {
        infected: 0,
        secrets: this.high,
        suspicious: 0,
        lowConfidence: this.total - this.high,
        ...(this.accepted > 0 && { accepted: { infected: 0, secrets: this.accepted, suspicious: 0 } }),
      },
    };
  }

  private sink(scan: SecretScan, path: string): ByteSink {
    this.open_.add(scan);
    return {
      write: async (chunk) => {
        await scan.write(chunk);
      },
      end: async () => {
        this.add(await scan.end(), path);
        this.open_.delete(scan);
      },
      abort: () => {
        scan.abort();
        this.open_.delete(scan);
      },
    };
  }

  private add(result: SecretScanResult, path: string): void {
    this.engine = result.engine;
    const { high, medium, low } = result.counts;
    this.high += high;
    this.total += high + medium + low;
    for (const finding of result.findings) this.seal(finding);
    this.keep(
      result.findings.map((finding) => findingOf(finding, path)),
      path,
    );
    for (const gap of result.notCovered) {
      this.gaps.push({ path, ...gapOf(gap) });
    }
  }

  private seal({ fingerprint, ruleId, sealedSecret }: SecretFinding): void {
    if (sealedSecret === undefined || this.sealed.size >= KEPT_FINDINGS) return;
    this.sealed.set(fingerprint, { fingerprint, ruleId, sealed: sealedSecret });
  }

  /** The certain ones first when there are more than the ledger keeps. */
  private keep(more: readonly Finding[], path: string): void {
    if (more.length === 0) return;
    const { findings, dropped } = withInnermost(this.findings, more, path);
    this.findings = findings;
    this.total -= dropped.length;
    this.high -= dropped.filter(({ confidence }) => confidence === 'high').length;
    if (this.findings.length <= KEPT_FINDINGS) return;
    const certainty = { high: 0, medium: 1, low: 2 };
    this.findings = this.findings
      .toSorted((a, b) => certainty[a.confidence] - certainty[b.confidence])
      .slice(0, KEPT_FINDINGS);
  }
}

function gapOf({ reason, ruleId }: NotSearched): Pick<NotCovered, 'reason' | 'detail'> {
  switch (reason) {
    case 'rule_deadline':
      return { reason: 'rule_disabled', detail: `the rule ${ruleId ?? ''} took too long` };
    case 'decoding_limit':
      return { reason: 'limit', detail: 'more is encoded inside one another than is decoded' };
    case 'scanner_failed':
      return { reason: 'engine_error', detail: 'the secret scanner failed' };
    default:
      return reason satisfies never;
  }
}

/** Says how the secret was written when not in clear, the innermost encoding first. */
function titleOf({ description, encodings = [] }: SecretFinding): string {
  return [description, ...encodings.toReversed()].join(' in ');
}

function findingOf(found: SecretFinding, path: string): Finding {
  return {
    kind: 'secret',
    ruleId: found.ruleId,
    title: titleOf(found),
    severity: found.severity,
    confidence: found.confidence,
    path,
    line: found.location.line,
    column: found.location.column,
    byteOffset: found.location.byteOffset,
    excerpt: found.maskedExcerpt,
    fingerprint: found.fingerprint,
    ...(found.remediation !== '' && { remediation: found.remediation }),
  };
}
