import { Injectable } from '@nestjs/common';
import { appendAudit } from '../../audit/audit.js';
import { Clock } from '../../clock.js';
import type { Place } from '../../cursor.js';
import { Database } from '../../database/database.js';
import { Conflict, InvalidInput, NotFound } from '../../errors.js';
import { parseJsonBody } from '../../http/json-body.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import { IntakeService, type Accepted, type MessageSource } from '../intake.service.js';
import {
  findReject,
  listRejects,
  removeReject,
  replayableIds,
  type RejectFilter,
  type RejectRow,
  type WholeReject,
} from '../sql/rejects.js';

/** What became of a reject that was taken in again. Unless it is `rejected` once more, it is gone from the list. */
export interface Replayed extends Accepted {
  readonly outcome: 'taken' | 'rejected';
  /** Why it still cannot be used. */
  readonly message?: string | undefined;
}

export interface ReplayedMany {
  readonly taken: number;
  readonly rejected: number;
  /** Where to go on; absent when there is nothing more. */
  readonly after?: string | undefined;
}

// One request must be answered before its client gives up.
const REPLAY_FOR_MS = 15_000;
const NOTHING: Accepted = { accepted: 0, duplicates: 0, ignored: 0, rejected: 0 };

/** What sources sent and nobody could use: to look at, and to take in again once its reason is mended. */
@Injectable()
export class RejectsService {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly intake: IntakeService,
  ) {}

  list(filter: RejectFilter, page: { after?: Place | undefined; limit: number }): Promise<RejectRow[]> {
    return listRejects(this.database, filter, page);
  }

  /** @throws NotFound */
  async get(id: string): Promise<WholeReject> {
    const row = await findReject(this.database, id);
    if (row === undefined) {
      throw new NotFound(`No reject ${id}. It was replayed or removed, or is older than REJECTS_DAYS.`);
    }
    return row;
  }

  /** @param actor as in AuditEvent @throws NotFound, Conflict */
  async replay(id: string, actor: string): Promise<Replayed> {
    const reject = await this.get(id);
    if (reject.truncated) {
      throw new Conflict(
        'Only the beginning of this message was kept, so it cannot be taken in again. Scan its objects by a backfill.',
        { reason: 'truncated' },
      );
    }
    return this.again(reject, actor);
  }

  /** Those that the filter names, by their ids, as many as fit into one request. */
  async replayMany(
    filter: RejectFilter,
    page: { readonly after: string; readonly limit: number },
    actor: string,
  ): Promise<ReplayedMany> {
    const until = this.clock.now() + REPLAY_FOR_MS;
    const ids = await replayableIds(this.database, filter, page);
    let taken = 0;
    let rejected = 0;
    let done = 0;
    for (const id of ids) {
      if (done > 0 && this.clock.now() >= until) break;
      done += 1;
      const reject = await findReject(this.database, id);
      // Somebody else was faster.
      if (reject === undefined) continue;
      const { outcome } = await this.again(reject, actor);
      if (outcome === 'taken') taken += 1;
      else rejected += 1;
    }
    const isWhole = done === ids.length && ids.length < page.limit;
    return { taken, rejected, ...(!isWhole && { after: ids[done - 1] ?? page.after }) };
  }

  /** @throws NotFound */
  async remove(id: string, actor: string): Promise<void> {
    const reject = await this.get(id);
    await this.database.transaction(async (tx) => {
      if (!(await removeReject(tx, id))) return;
      await appendAudit(tx, [
        {
          at: wholeMilliseconds(this.clock),
          actor,
          action: 'reject.removed',
          subject: `reject:${id}`,
          data: factsOf(reject),
        },
      ]);
    });
  }

  /** Taken in first, removed then: cut off in between, it is taken in twice, which changes nothing. */
  private async again(reject: WholeReject, actor: string): Promise<Replayed> {
    const { id, deliveries } = reject;
    let message: unknown;
    try {
      message = parseJsonBody(reject.raw);
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
      return { ...NOTHING, rejected: 1, outcome: 'rejected', message: error.message };
    }
    const accepted = await this.intake.accept(message, sourceOf(reject));
    const outcome = accepted.rejected === 0 ? 'taken' : 'rejected';
    await this.database.transaction(async (tx) => {
      // Rejected for the same reason it was counted once more, and stays; for another one there is another reject now.
      await removeReject(tx, id, deliveries);
      await appendAudit(tx, [
        {
          at: wholeMilliseconds(this.clock),
          actor,
          action: 'reject.replayed',
          subject: `reject:${id}`,
          data: { ...factsOf(reject), outcome, ...accepted },
        },
      ]);
    });
    return { ...accepted, outcome, ...(outcome === 'rejected' && { message: reject.message }) };
  }
}

const factsOf = ({ reason, source_kind: source, bucket }: RejectRow) => ({
  reason,
  source,
  ...(bucket !== null && { bucket }),
});

const KINDS: readonly MessageSource['kind'][] = ['sqs', 'sns', 'embedded'];

/** As it came: what a source of one endpoint tells means buckets of that one only. */
const sourceOf = ({ source_kind: told, endpoint_id: endpointId }: RejectRow): MessageSource => ({
  kind: KINDS.find((kind) => kind === told) ?? 'webhook',
  ...(endpointId !== null && { endpointId }),
  isReplay: true,
});
