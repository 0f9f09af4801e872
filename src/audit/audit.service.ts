import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import { NotFound } from '../errors.js';
import { AuditPlaces } from './anchors/places.js';
import { appendAudit } from './audit.js';
import { AuditCheckpoints } from './chain/checkpoints.js';
import { verifyChain, type KnownHead, type Verification } from './chain/verify.js';
import { extractLines } from './export/extract.js';
import { chainHead, chainState } from './sql/chain.js';
import { lastAnchors, lastCheckpoint } from './sql/checkpoints.js';
import { forksOf } from './sql/forks.js';
import { listEvents, type EventFilter } from './sql/events.js';
import { anchoredUpTo } from './sql/verification.js';

/** Reads the audit record and verifies it. */
@Injectable()
export class AuditService {
  private verifying: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly checkpoints: AuditCheckpoints,
    private readonly places: AuditPlaces,
  ) {}

  async list(
    filter: EventFilter,
  ): Promise<{ readonly items: readonly unknown[]; readonly nextCursor?: string }> {
    const events = await listEvents(this.db, filter);
    const last = events.at(-1);
    const items = events.map(({ at, erased, ...event }) => ({
      ...event,
      at: new Date(at).toISOString(),
      ...(erased.length > 0 && { erased }),
    }));
    return events.length < filter.limit || last === undefined ? { items } : { items, nextCursor: last.id };
  }

  async chain() {
    const [head, last, anchored, { chainId }, anchors] = await Promise.all([
      chainHead(this.db),
      lastCheckpoint(this.db),
      anchoredUpTo(this.db),
      chainState(this.db),
      lastAnchors(this.db),
    ]);
    return {
      chain: chainId,
      events: head?.seq ?? 0,
      head: head?.hash.toString('hex') ?? null,
      signedUpTo: last?.seq ?? 0,
      signedAt: last === undefined ? null : new Date(last.at).toISOString(),
      anchoredUpTo: anchored,
      forks: await forksOf(this.db),
      isKeptElsewhere: this.places.isAnywhere,
      /** The newest copy in each place. */
      copies: anchors.map(({ seq, place, at, lockedUntil }) => ({
        place,
        upTo: seq,
        at: new Date(at).toISOString(),
        lockedUntil: lockedUntil === undefined ? null : new Date(lockedUntil).toISOString(),
      })),
      key: this.checkpoints.current,
    };
  }

  /** @throws NotFound for a part that the chain does not have. */
  async extract(
    { from, to }: { readonly from: number; readonly to?: number | undefined },
    actor: string,
  ): Promise<AsyncIterable<string>> {
    const last = (await chainHead(this.db))?.seq ?? 0;
    if (from > last) throw new NotFound(`The chain ends at event ${last}: there is none from ${from} on.`);
    const range = { from, to: Math.min(to ?? last, last) };
    const { chainId } = await chainState(this.db);
    await appendAudit(this.db, [
      {
        at: Math.round(this.clock.now()),
        actor,
        action: 'audit.extracted',
        subject: `audit:${chainId}`,
        data: range,
      },
    ]);
    return extractLines(this.db, range, (keyId) => this.checkpoints.publicKeyText(keyId));
  }

  /** One after the other: each reads the whole record. What was found is recorded itself. */
  verify(known: readonly KnownHead[], actor: string): Promise<Verification> {
    const mine = this.verifying.then(async () => {
      const found = await verifyChain(this.db, (id) => this.checkpoints.publicKey(id), known);
      const { isWhole, bad, events, head } = found;
      await appendAudit(this.db, [
        {
          at: Math.round(this.clock.now()),
          actor,
          action: 'audit.verified',
          subject: `audit:${found.chain}`,
          data: { isWhole, events, head, ...(bad === undefined ? {} : { bad }) },
        },
      ]);
      return found;
    });
    // What failed for one is tried again by the next.
    this.verifying = mine.catch(() => undefined);
    return mine;
  }
}
