import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { appendAudit } from '../audit/audit.js';
import { chainState } from '../audit/sql/chain.js';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import {
  findHeld,
  lastRestoration,
  noteReconciliation,
  noteReleased,
  type Restoration,
} from '../database/sql/restoration.js';
import { Conflict, NotFound } from '../errors.js';
import { ListingRuns } from '../intake/listing/runs.service.js';
import { OutboxBell } from '../outbound/outbox-bell.js';
import { HealthRegistry } from '../ops/health.js';
import { LOG, type Log } from '../ops/log.js';
import { Buckets, CONFIGURED_ENDPOINT, EMBEDDED_ENDPOINT } from '../s3/buckets.js';
import { ObjectStorage } from '../s3/object-storage.js';
import { anchorsBeyond } from './anchors-beyond.js';
import { checkQuarantine } from './quarantine-check.js';
import { leftCopies } from './left-copies.js';
import { Reconciliation, restoreView, type RestoreView, type RunFacts } from './restore-view.js';
import { RestoredHealth } from './restored-health.js';

/** What follows a restore: the comparison with S3, and the end of the hold. */
@Injectable()
export class RestoreService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private comparing: Promise<void> | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) private readonly log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly buckets: Buckets,
    private readonly runs: ListingRuns,
    private readonly storage: ObjectStorage,
    private readonly bell: OutboxBell,
    private readonly health: HealthRegistry,
  ) {}

  onApplicationBootstrap(): void {
    this.health.add(new RestoredHealth(this.db));
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.comparing;
  }

  /** The last restore; `isHeld: false` and nothing more where there was none. */
  async state(): Promise<RestoreView> {
    const last = await lastRestoration(this.db);
    if (last === undefined) return { isHeld: false, restoration: null };
    return restoreView(last, await this.runsOf(last));
  }

  /** Begins to compare, and answers at once: `state` says how far it is. @throws Conflict where nothing is held. */
  async reconcile(actor: string): Promise<RestoreView> {
    const held = await findHeld(this.db);
    if (held === undefined) throw nothingHeld();
    const cause = `restore ${held.id}`;
    const runIds: string[] = [];
    for (const { bucket, endpointId } of this.buckets.list()) {
      // Their events may have been told to the former life, which took them.
      const run = await this.runs.reconcile(
        { bucket, options: { graceMs: 0 } },
        { actor, cause, endpointId },
      );
      runIds.push(run.id);
    }
    const begun: Reconciliation = { runs: runIds, quarantine: null, left: null, anchors: null, error: null };
    const at = Math.round(this.clock.now());
    await this.db.transaction(async (tx) => {
      await noteReconciliation(tx, held.id, begun, at);
      const data = { restoration: held.id, runs: runIds };
      await appendAudit(tx, [
        { at, actor, action: 'backup.reconciling', subject: `backup:${held.backupId}`, data },
      ]);
    });
    this.comparing = this.compare(held, begun, at, this.comparing);
    return this.state();
  }

  /**
   * Lets everything go on. @throws Conflict where nothing is held, and where nobody compared with S3 unless that is not
   * wanted.
   */
  async release(
    { reason, withoutReconciling }: { readonly reason: string; readonly withoutReconciling: boolean },
    actor: string,
  ): Promise<RestoreView> {
    const view = await this.state();
    if (!view.isHeld) throw nothingHeld();
    if (!withoutReconciling && view.restoration?.reconciliation?.isComplete !== true)
      throw new Conflict(
        'The buckets were not compared with the ledger since the restore. Run sallyport restore reconcile and wait for its end, or say that you go on without it: --without-reconciling.',
      );
    const at = Math.round(this.clock.now());
    await this.db.transaction(async (tx) => {
      const held = await findHeld(tx, true);
      if (held === undefined) throw nothingHeld();
      await noteReleased(tx, held.id, actor, at);
      const data = { restoration: held.id, reason, isReconciled: !withoutReconciling };
      await appendAudit(tx, [
        { at, actor, action: 'backup.released', subject: `backup:${held.backupId}`, data },
      ]);
    });
    this.bell.ring();
    return this.state();
  }

  private async compare(
    held: Restoration,
    begun: Reconciliation,
    at: number,
    before: Promise<void> | undefined,
  ): Promise<void> {
    await before;
    let found: Reconciliation;
    try {
      const quarantine = await checkQuarantine(this.db, this.storage, this.stopping.signal);
      const left = await leftCopies(this.db, this.storage, this.quarantines, this.stopping.signal);
      found = { ...begun, quarantine, left, anchors: await this.anchors(held) };
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      this.log.warn({ err: error }, 'the comparison after a restore failed');
      found = { ...begun, error: (error as Error).message };
    }
    await noteReconciliation(this.db, held.id, found, at).catch((error: unknown) =>
      this.log.warn({ err: error }, 'what the comparison after a restore found could not be kept'),
    );
  }

  /** Each once, however many buckets share it. */
  private get quarantines(): readonly { readonly endpointId: string; readonly bucket: string }[] {
    const places = this.buckets
      .list()
      .flatMap(({ endpointId, quarantineBucket: bucket }) =>
        bucket === undefined ? [] : [{ endpointId, bucket }],
      );
    return [...new Map(places.map((place) => [JSON.stringify(place), place])).values()];
  }

  private async anchors({ forkSeq }: Restoration) {
    const { AUDIT_BUCKET: bucket, embeddedS3 } = this.config;
    if (bucket === undefined) return null;
    const { chainId: chain } = await chainState(this.db);
    const endpointId = embeddedS3 ? EMBEDDED_ENDPOINT : CONFIGURED_ENDPOINT;
    return anchorsBeyond(this.storage, { endpointId, bucket }, { chain, forkSeq });
  }

  private async runsOf({ reconciliation }: Restoration): Promise<readonly RunFacts[]> {
    const parsed = Reconciliation.safeParse(reconciliation);
    if (!parsed.success) return [];
    const found: RunFacts[] = [];
    for (const id of parsed.data.runs) {
      try {
        const { bucket, state, counts } = await this.runs.find(id);
        const { missing, vanished, older, listed } = counts;
        found.push({ id, bucket: bucket ?? '', state, listed, missing, vanished, older });
      } catch (error) {
        if (!(error instanceof NotFound)) throw error;
      }
    }
    return found;
  }
}

const nothingHeld = (): Conflict =>
  new Conflict('Nothing is held: no restore waits for somebody to let it go on.');
