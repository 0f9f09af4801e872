import { NotFound } from '../../src/errors.js';
import {
  Ledger,
  type ActionRecord,
  type Finding,
  type Identified,
  type ObjectFacts,
  type ObjectRef,
  type Pinned,
  type ScanContext,
  type Standing,
  type VerdictRecord,
} from '../../src/verdicts/ledger.js';

import type { Verdict } from '../../src/verdicts/verdict.js';

/** The ledger in maps, for tests of workers: keeps what it is told and answers as the real one does. */
export class MemoryLedger extends Ledger {
  readonly scans = new Map<string, ScanContext>();
  readonly findings = new Map<string, { findings: readonly Finding[]; total: number }>();
  readonly verdicts: { scanId: string; record: VerdictRecord }[] = [];
  readonly actions = new Map<string, ActionRecord & { scanId: string }>();
  /** Answers of `identified` by scan id; `current` when not set. */
  readonly duplicates = new Map<string, string>();
  /** Answers of `standing` by scan id; nothing was said when not set. */
  readonly standings = new Map<string, Standing>();
  /** Answers of `verdictOn` by ETag. */
  readonly verdictsByETag = new Map<string, Verdict>();
  private next = 1;

  /** Opens a scan of an object, as intake does. */
  admit(
    ref: ObjectRef,
    scanId = `00000000-0000-4000-8000-${String(this.next).padStart(12, '0')}`,
  ): ScanContext {
    this.next += 1;
    const scan: ScanContext = { scanId, objectId: `object-${scanId}`, ref, generation: 1 };
    this.scans.set(scanId, scan);
    return scan;
  }

  /** What was recorded of one scan, in order. */
  actionsOf(scanId: string): readonly ActionRecord[] {
    return [...this.actions.values()].filter((action) => action.scanId === scanId);
  }

  async scan(scanId: string): Promise<ScanContext> {
    const scan = this.scans.get(scanId);
    if (scan === undefined) throw new NotFound(`No scan ${scanId}.`);
    return scan;
  }

  async standing(scanId: string): Promise<Standing> {
    await this.scan(scanId);
    return this.standings.get(scanId) ?? {};
  }

  async verdictOn(_ref: ObjectRef, facts: ObjectFacts): Promise<Verdict | undefined> {
    return this.verdictsByETag.get(facts.eTag);
  }

  async identified(scanId: string, facts: ObjectFacts): Promise<Identified> {
    this.scans.set(scanId, { ...(await this.scan(scanId)), facts });
    const ofScanId = this.duplicates.get(scanId);
    return ofScanId === undefined ? { kind: 'current' } : { kind: 'duplicate', ofScanId };
  }

  async pinVersion(scanId: string, [versionId = '']: readonly string[]): Promise<Pinned> {
    const scan = await this.scan(scanId);
    this.scans.set(scanId, { ...scan, ref: { ...scan.ref, versionId } });
    return { kind: 'pinned', versionId };
  }

  /** What other scanners found, by scan id. */
  readonly externalThreats = new Map<string, number>();

  async recordExternalThreats(scanId: string): Promise<number> {
    return this.externalThreats.get(scanId) ?? 0;
  }

  async recordFindings(
    scanId: string,
    kind: 'secrets' | 'malware',
    findings: readonly Finding[],
    total: number,
    source = '',
  ): Promise<void> {
    await this.scan(scanId);
    this.findings.set([scanId, kind, ...(source === '' ? [] : [source])].join(':'), { findings, total });
  }

  async recordVerdict(scanId: string, record: VerdictRecord): Promise<void> {
    this.verdicts.push({ scanId, record });
  }

  async recordAction(scanId: string, taskId: string, record: ActionRecord): Promise<void> {
    await this.scan(scanId);
    this.actions.set(`${scanId}:${taskId}`, { ...record, scanId });
  }

  async recordDecision(): Promise<void> {
    // Decisions are the reviews' business; the workers of this stage never record one.
  }

  async close(): Promise<void> {
    // Nothing follows in memory.
  }
}
