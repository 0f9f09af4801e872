import { createHash } from 'node:crypto';
import {
  announceRelease,
  markReleaseVerified,
  markReleaseWritten,
} from '../../src/tasks/object/sql/released-objects.js';
import { Ledger, type ActionRecord } from '../../src/verdicts/ledger.js';
import type { FakeClock } from '../../test/support/clock.js';
import { together, type Desk } from './desk.js';
import type { Guilty } from './scanner.js';
import { INBOUND, type Store } from './store.js';
import type { Uploads } from './uploads.js';
import type { World } from './world.js';

/** What is done to an object before people are asked, and after they decided; with the ledger's and the release's own calls. */
export class Aftermath {
  readonly counts = { quarantined: 0, released: 0, deleted: 0 };
  private readonly quarantined = new Set<string>();
  private readonly done = new Set<string>();

  constructor(
    private readonly random: () => number,
    private readonly store: Store,
    private readonly uploads: Uploads,
    private readonly desk: Desk,
    private readonly clock: FakeClock,
  ) {}

  async secure(world: World, guilty: readonly Guilty[]): Promise<void> {
    await Promise.all(
      guilty.map(async ({ scanId, stored }) => {
        const moves = stored.bucket === INBOUND && this.random() < 0.6;
        await this.record(world, scanId, { action: moves ? 'quarantined' : 'tagged', performed: true });
        if (!moves) return;
        this.quarantined.add(scanId);
        this.store.remove(stored);
        this.counts.quarantined += 1;
      }),
    );
  }

  /** Of every decision that its workflow knows, once. */
  async follow(world: World): Promise<void> {
    const rows = await world.database.query<{
      id: string;
      scan_id: string;
      outcome: string;
      decided_by: string;
    }>(
      `SELECT id, scan_id, outcome, decided_by FROM review
        WHERE completion = 'applied' AND scan_id IS NOT NULL AND queue IN ('uploads', 'malware') ORDER BY decided_at`,
    );
    const news = rows.filter(({ id }) => !this.done.has(id));
    for (const { id } of news) this.done.add(id);
    await together(news, async ({ id, scan_id: scanId, outcome, decided_by: decidedBy }) => {
      const guilty = this.desk.guiltyOf(scanId);
      if (guilty !== undefined) await this.carryOut(world, { reviewId: id, decidedBy }, outcome, guilty);
    });
  }

  private async carryOut(
    world: World,
    by: { reviewId: string; decidedBy: string },
    outcome: string,
    guilty: Guilty,
  ): Promise<void> {
    const { scanId, stored } = guilty;
    if (outcome === 'release' && this.quarantined.has(scanId)) await this.release(world, by, guilty);
    else if (outcome === 'delete') {
      this.store.remove(stored);
      this.counts.deleted += 1;
      await this.record(world, scanId, { action: 'deleted', performed: true });
    } else await this.record(world, scanId, { action: 'kept', performed: true });
    await world.get(Ledger).close(scanId);
  }

  /** A new version with the bytes of the old one; its event comes like that of any upload. */
  private async release(
    world: World,
    by: { reviewId: string; decidedBy: string },
    { scanId, stored, endpointId }: Guilty,
  ): Promise<void> {
    const at = this.clock.now();
    const content = this.uploads.contents.get(stored.eTag);
    if (content === undefined) throw new Error(`nobody knows what is in ${stored.eTag}`);
    const { bucket, key, eTag } = stored;
    const sha256 = createHash('sha256').update(content.text).digest('hex');
    await world.database.transaction((tx) =>
      announceRelease(tx, { scanId, ref: { endpointId, bucket, key }, eTag, sha256, by, at }),
    );
    const copy = this.store.put(bucket, key, content.text, content.sizeBytes, at);
    await world.database.transaction((tx) =>
      markReleaseWritten(tx, { scanId, versionId: copy.versionId, eTag, at }),
    );
    await world.database.transaction((tx) => markReleaseVerified(tx, scanId, at));
    this.uploads.tellOf(copy);
    this.counts.released += 1;
    await this.record(world, scanId, { action: 'released', performed: true });
  }

  private record(world: World, scanId: string, action: Omit<ActionRecord, 'at'>): Promise<void> {
    return world
      .get(Ledger)
      .recordAction(scanId, `proof ${action.action}`, { ...action, at: this.clock.now() });
  }
}
