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
  keepReconciliation,
  lastRestoration,
  noteReconciliation,
  noteReleased,
  type Restoration,
} from '../database/sql/restoration.js';
import { Conflict } from '../errors.js';
import { ListingRuns } from '../intake/listing/runs.service.js';
import { OutboxBell } from '../outbound/outbox-bell.js';
import { HealthRegistry } from '../ops/health.js';
import { LOG, type Log } from '../ops/log.js';
import { Buckets, CONFIGURED_ENDPOINT, EMBEDDED_ENDPOINT } from '../s3/buckets.js';
import { ObjectStorage } from '../s3/object-storage.js';
import { anchorsBeyond } from './anchors-beyond.js';
import { beginSome, bucketRuns, type BucketRuns } from './bucket-runs.js';
import { checkQuarantine } from './quarantine-check.js';
import { leftCopies } from './left-copies.js';
import { Reconciliation, restoreView, type RestoreView, type RunFacts } from './restore-view.js';
import { RestoredHealth } from './restored-health.js';

const LOOK_AGAIN_MS = 2_000;

/** One comparison: of which restore, when it was begun, and by whom. */
interface Asked {
  readonly held: Restoration;
  readonly at: number;
  readonly actor: string;
}

/** What follows a restore: the comparison with S3, and the end of the hold. */
@Injectable()
export class RestoreService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private overtaken = new AbortController();
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

  /**
   * Begins to compare, and answers at once: `state` says how far it is. What an earlier comparison has under way is not begun
   * again, nor what one that was cut short has done. @throws Conflict where nothing is held.
   */
  async reconcile(actor: string): Promise<RestoreView> {
    const held = await findHeld(this.db);
    if (held === undefined) throw nothingHeld();
    const at = Math.max(Math.round(this.clock.now()), (held.reconciledAt ?? 0) + 1);
    const asked: Asked = { held, at, actor };
    const runs = await this.begin(asked, await this.stillGood(held));
    const begun: Reconciliation = { ...runs, quarantine: null, left: null, anchors: null, error: null };
    await this.db.transaction(async (tx) => {
      await noteReconciliation(tx, held.id, begun, at);
      const data = { restoration: held.id, ...runs };
      await appendAudit(tx, [
        { at, actor, action: 'backup.reconciling', subject: `backup:${held.backupId}`, data },
      ]);
    });
    this.overtaken.abort();
    this.overtaken = new AbortController();
    this.comparing = this.compare(asked, begun, this.comparing);
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
        'The buckets were not compared with the ledger to the end since the restore. Run sallyport restore reconcile and wait for its end, look at restore status for what S3 did not tell, or say that you go on without it: --without-reconciling.',
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
    asked: Asked,
    begun: Reconciliation,
    before: Promise<void> | undefined,
  ): Promise<void> {
    const signal = AbortSignal.any([this.stopping.signal, this.overtaken.signal]);
    await before;
    let found = begun;
    const failures: string[] = [];
    // One that fails takes nothing away from what the others found.
    const part = async (what: string, look: () => Promise<Partial<Reconciliation>>): Promise<void> => {
      if (signal.aborted) return;
      try {
        found = { ...found, ...(await look()) };
      } catch (error) {
        if (signal.aborted) return;
        this.log.warn({ err: error }, `after a restore, ${what} could not be compared`);
        failures.push(`${what}: ${(error as Error).message}`);
        found = { ...found, error: failures.join('; ') };
      }
    };
    await part('moves into quarantine', async () => ({
      quarantine: await checkQuarantine(this.db, this.storage, signal),
    }));
    await part('quarantine buckets', async () => ({
      left: await leftCopies(this.db, this.storage, this.quarantines, signal),
    }));
    await part('AUDIT_BUCKET', async () => ({ anchors: await this.anchors(asked.held) }));
    await this.goOn(asked, found, signal);
  }

  /** Keeps what was found, and begins one bucket after the other, until every one has its run. */
  private async goOn(asked: Asked, found: Reconciliation, signal: AbortSignal): Promise<void> {
    let now = found;
    while (!signal.aborted) {
      try {
        now = { ...now, ...(await this.begin(asked, now.runs)) };
        const isOurs = await keepReconciliation(this.db, asked.held.id, now, asked.at);
        if (!isOurs || now.waiting === 0) return;
      } catch (error) {
        if (signal.aborted) return;
        this.log.warn({ err: error }, 'the comparison after a restore does not get on; trying again');
      }
      await this.clock.sleepUntil(this.clock.now() + LOOK_AGAIN_MS, signal);
    }
  }

  private begin({ held, at, actor }: Asked, before: readonly string[]): Promise<BucketRuns> {
    const parts = { db: this.db, runs: this.runs, policies: this.buckets.list() };
    return beginSome(parts, { restorationId: held.id, at, actor }, before);
  }

  /** Runs of the comparison before this one that need not be made again. */
  private async stillGood({ id, reconciliation }: Restoration): Promise<string[]> {
    const before = Reconciliation.safeParse(reconciliation);
    if (!before.success) return [];
    const { runs, waiting, quarantine, error } = before.data;
    const wasCutShort = waiting > 0 || (quarantine === null && error === null);
    const good = wasCutShort ? ['running', 'completed'] : ['running'];
    return (await bucketRuns(this.db, id, runs))
      .filter(({ state }) => good.includes(state))
      .map((run) => run.id);
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

  private async runsOf({ id, reconciliation }: Restoration): Promise<readonly RunFacts[]> {
    const parsed = Reconciliation.safeParse(reconciliation);
    if (!parsed.success) return [];
    return (await bucketRuns(this.db, id, parsed.data.runs)).map(({ id: runId, bucket, state, counts }) => {
      const { missing, vanished, older, listed } = counts;
      return { id: runId, bucket: bucket ?? '', state, listed, missing, vanished, older };
    });
  }
}

const nothingHeld = (): Conflict =>
  new Conflict('Nothing is held: no restore waits for somebody to let it go on.');
