import { createHash } from 'node:crypto';
import { markStarted } from '../../src/backlog/sql/mark-started.js';
import type { Database } from '../../src/database/database.js';
import { acceptedAs, withReason } from '../../src/verdicts/baseline/accepted.js';
import { Baseline } from '../../src/verdicts/baseline/baseline.service.js';
import { conclude } from '../../src/verdicts/conclude.js';
import {
  Ledger,
  type Finding,
  type NotCovered,
  type ObjectRef,
  type ScanContext,
  type ScanReport,
} from '../../src/verdicts/ledger.js';
import { coverageOf } from '../../src/verdicts/scan-report.js';
import { REQUIRED_ENGINES } from '../../src/verdicts/verdict.js';
import type { FakeClock } from '../../test/support/clock.js';
import type { Content, ContentKind } from './contents.js';
import type { Store, Stored } from './store.js';
import type { Uploads } from './uploads.js';
import type { World } from './world.js';

/** A scan that found something of which people must hear. */
export interface Guilty {
  readonly scanId: string;
  readonly objectId: string;
  readonly stored: Stored;
  readonly endpointId: string;
  readonly verdict: string;
  readonly reason: string;
}

interface Waiting {
  readonly scan_id: string;
  readonly workflow_id: string;
  readonly e_tag: string | null;
}

const AT_ONCE = 400;

/**
 * Scans what waits in the backlog as the workflow's workers do, with the ledger's own calls in their order, but without a
 * workflow: a quarter's worth of them would take hours. It reads no bytes; what is in them it was told.
 */
export class Scanner {
  /** No engine for malware. */
  isBlind = false;
  /** Scans of these bytes but the first wait until then. */
  readonly slow = new Map<string, number>();
  private readonly begun = new Set<string>();
  /** How the engines find fewer things from this moment on. */
  forgives: ((finding: Finding) => boolean) | undefined;
  scans = 0;

  constructor(
    private readonly store: Store,
    private readonly uploads: Uploads,
    private readonly clock: FakeClock,
    private readonly random: () => number,
  ) {}

  /** Everything that may be scanned now. @returns what must be decided on. */
  async scanAll(world: World): Promise<Guilty[]> {
    const guilty: Guilty[] = [];
    for (;;) {
      const rows = await this.due(world.database);
      if (rows.length === 0) return guilty;
      this.clock.advance(500 + Math.floor(this.random() * 120_000));
      await markStarted(
        world.database,
        rows.map(({ scan_id: scanId, workflow_id: workflowId }) => ({ scanId, workflowId })),
        this.clock.now(),
      );
      this.clock.advance(200 + Math.floor(this.random() * 5_000));
      // In the order of the backlog: of two rows for the same bytes the first one stands.
      for (const { e_tag: eTag } of rows) if (eTag !== null) this.begun.add(eTag);
      const found = await Promise.all(rows.map(({ scan_id: scanId }) => this.scan(world, scanId)));
      this.scans += rows.length;
      guilty.push(...found.flat());
    }
  }

  private async due(database: Database): Promise<readonly Waiting[]> {
    const rows = await database.query<Waiting>(
      `SELECT b.scan_id, b.workflow_id, o.e_tag FROM backlog_item b JOIN object_version o ON o.id = b.object_id
        ORDER BY b.enqueued_at, b.scan_id LIMIT $1`,
      [AT_ONCE + this.slow.size],
    );
    const now = this.clock.now();
    const seen = new Set<string>();
    return rows.filter(({ e_tag: eTag }) => {
      const until = eTag === null ? undefined : this.slow.get(eTag);
      if (eTag === null || until === undefined || until <= now) return true;
      const isFirst = !seen.has(eTag) && !this.begun.has(eTag);
      seen.add(eTag);
      return isFirst;
    });
  }

  private async scan(world: World, scanId: string): Promise<Guilty[]> {
    const ledger = world.get(Ledger);
    const { ref, objectId, generation } = await ledger.scan(scanId);
    const stored = this.store.find(ref);
    const judged = await this.judge(world, { scanId, ref, generation }, stored);
    const { workflowId, route, ...record } = judged;
    await ledger.recordVerdict(scanId, { ...record, workflowId });
    if (route === 'review' && stored !== undefined)
      return [
        {
          scanId,
          objectId,
          stored,
          endpointId: ref.endpointId,
          verdict: record.verdict,
          reason: record.reason,
        },
      ];
    await ledger.close(scanId);
    return [];
  }

  private async judge(
    world: World,
    { scanId, ref, generation }: Pick<ScanContext, 'scanId' | 'ref' | 'generation'>,
    stored: Stored | undefined,
  ) {
    const ledger = world.get(Ledger);
    const unread = { gaps: [], required: REQUIRED_ENGINES, reports: [], degradedPolicy: 'tag' as const };
    const without = (
      outcome: 'gone' | 'denied' | 'archived' | 'superseded' | 'failed' | 'duplicate',
      reason = '',
    ) => ({
      ...conclude({ ...unread, outcome, reason }),
      ...NOTHING_READ,
    });
    if (stored === undefined) return without('gone');
    const content = this.uploads.contents.get(stored.eTag);
    if (content === undefined) throw new Error(`nobody knows what is in ${stored.eTag}`);
    if (content.kind === 'denied') return without('denied');
    const facts = {
      eTag: stored.eTag,
      sizeBytes: stored.sizeBytes,
      lastModified: new Date(stored.at).toISOString(),
      contentType: 'application/octet-stream',
      detectedType: 'application/octet-stream',
      storageClass: content.kind === 'archived' ? 'GLACIER' : 'STANDARD',
    };
    const identified = await ledger.identified(scanId, facts);
    if (identified.kind === 'duplicate') return without('duplicate', 'same_version_already_scanned');
    if (identified.kind === 'superseded') return without('superseded', 'overwritten');
    if (content.kind === 'archived') return without('archived', 'storage_class_archived');
    if (content.kind === 'unreadable') return without('failed', 'unreadable');
    const sha256 = createHash('sha256').update(content.text).digest('hex');
    const found = await this.look(world, { ref, sha256, content });
    for (const kind of ['secrets', 'malware'] as const) {
      const mine = found.filter((one) => one.kind === (kind === 'secrets' ? 'secret' : 'malware'));
      // A first scan that finds nothing has nothing to replace.
      if (mine.length > 0 || generation > 1) await ledger.recordFindings(scanId, kind, mine, mine.length);
    }
    const reports = [
      this.report('secrets', content, found, sha256),
      ...(this.isBlind ? [this.blindReport(content)] : [this.report('malware', content, found, sha256)]),
    ];
    const concluded = conclude({ ...unread, outcome: 'present', reason: '', reports });
    return {
      ...concluded,
      required: REQUIRED_ENGINES,
      ...coverageOf(reports, content.sizeBytes),
      workflowId: '',
    };
  }

  /** What the engines find, with what somebody answers for. */
  private async look(
    world: World,
    { ref, sha256, content }: { ref: ObjectRef; sha256: string; content: Content },
  ): Promise<readonly Finding[]> {
    const seen = content.found.filter(
      (finding) => !(this.isBlind && finding.kind === 'malware') && this.forgives?.(finding) !== true,
    );
    const at = { endpointId: ref.endpointId, bucket: ref.bucket, key: ref.key, sha256 };
    const entries = await world.get(Baseline).among(seen, at);
    return seen.map((finding) => {
      const entry = acceptedAs(finding, at, entries, this.clock.now());
      return entry === undefined ? finding : withReason(finding, entry);
    });
  }

  private report(
    kind: ScanReport['kind'],
    { kind: contentKind, sizeBytes }: Content,
    found: readonly Finding[],
    sha256: string,
  ): ScanReport {
    const counts = { infected: 0, secrets: 0, suspicious: 0, lowConfidence: 0 };
    const accepted = { infected: 0, secrets: 0, suspicious: 0 };
    for (const finding of found) {
      if ((finding.kind === 'secret') !== (kind === 'secrets')) continue;
      const name =
        finding.kind === 'secret' ? 'secrets' : finding.confidence === 'high' ? 'infected' : 'suspicious';
      (finding.accepted === undefined ? counts : accepted)[name] += 1;
    }
    return {
      kind,
      engines: [this.engine(kind)],
      bytesScanned: sizeBytes,
      bytesTotal: sizeBytes,
      members: 1,
      sha256,
      notCovered: gapsOf(contentKind),
      counts: { ...counts, accepted },
    };
  }

  private blindReport({ sizeBytes }: Content): ScanReport {
    return {
      kind: 'malware',
      engines: [],
      bytesScanned: sizeBytes,
      bytesTotal: sizeBytes,
      members: 1,
      notCovered: [{ path: '', reason: 'engine_missing' }],
      counts: { infected: 0, secrets: 0, suspicious: 0, lowConfidence: 0 },
    };
  }

  /** A signature database of the day before. */
  private engine(kind: ScanReport['kind']) {
    if (kind === 'secrets') return { name: 'sallyport-secrets', version: '1', database: 'rules-1' };
    const day = new Date(this.clock.now() - 86_400_000).toISOString().slice(0, 10);
    return { name: 'clamd', version: '1.4.3', database: `daily-${day}`, databaseDate: day };
  }
}

const NOTHING_READ = {
  engines: [],
  bytesScanned: 0,
  bytesTotal: 0,
  notCovered: [],
  workflowId: '',
};

const GAPS: Partial<Record<ContentKind, NotCovered['reason']>> = {
  encrypted: 'encrypted',
  too_big: 'limit',
  unsupported: 'unsupported',
};

function gapsOf(kind: ContentKind): readonly NotCovered[] {
  const reason = GAPS[kind];
  return reason === undefined ? [] : [{ path: '', reason }];
}
