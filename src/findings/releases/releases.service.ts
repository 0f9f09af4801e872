import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { appendAudit } from '../../audit/audit.js';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { Engine } from '../../engine/ports.js';
import { Conflict, NotFound } from '../../errors.js';
import { OutboxBell } from '../../outbound/outbox-bell.js';
import { Outbox } from '../../outbound/outbox.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import type { Acting } from '../exceptions/exceptions.service.js';
import { startOf } from '../start-workflow.handler.js';
import { markAsked, quarantinedVersion, type QuarantinedVersion } from './sql/quarantined-version.js';

/** The workflow that asks two people. */
export const RELEASE_WORKFLOW = 'release_quarantined';

/** A release that was asked for; nothing is moved until two people say so. */
export interface AskedRelease {
  readonly workflowId: string;
  readonly scanId: string;
}

/** Asks that what lies in quarantine be given back, after the review of its own scan is over or never came. */
@Injectable()
export class Releases {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly bell: OutboxBell,
    private readonly engine: Engine,
  ) {}

  /**
   * One request at a time stands for an object.
   *
   * @throws NotFound for an object that the ledger does not know; Conflict for one that is not in quarantine, that a
   *   review asks about already, or whose scan is not over: it says which.
   */
  async ask(objectId: string, reason: string, who: Acting): Promise<AskedRelease> {
    const version = await this.find(objectId);
    const scanId = inQuarantine(version);
    if (version.openReviewId !== null)
      throw new Conflict(
        `The review ${version.openReviewId} asks about it already. Decide that one, or wait until it is over.`,
        { reviewId: version.openReviewId },
      );
    if (!version.isClosed)
      throw new Conflict('Its scan is not over: a review may still come of it. See: sallyport objects show');
    if (version.release !== null && (await this.isAsking(version.release))) throw askedAlready(version);
    const workflowId = randomUUID();
    const now = wholeMilliseconds(this.clock);
    const title = `Give s3://${version.bucket}/${version.key} back out of quarantine (${version.verdict})? Asked by ${who.name}: ${reason}`;
    await this.db.transaction(async (tx) => {
      const before = version.release?.workflowId;
      if (!(await markAsked(tx, { scanId, before, workflowId, by: who.actor, now })))
        throw askedAlready(await this.find(objectId));
      await appendAudit(tx, [
        {
          at: now,
          actor: who.actor,
          action: 'object.release_requested',
          subject: `object:${objectId}`,
          data: { scanId, workflowId, reason },
        },
      ]);
      const input = { scanId, title, verdict: version.verdict, reason };
      await this.outbox.enqueue(tx, [
        startOf(workflowId, { name: RELEASE_WORKFLOW, input, createdBy: who.actor }),
      ]);
    });
    this.bell.ring();
    return { workflowId, scanId };
  }

  private async find(objectId: string): Promise<QuarantinedVersion> {
    const version = await quarantinedVersion(this.db, objectId);
    if (version === undefined) throw new NotFound(`No object ${objectId} in the ledger. Check the id.`);
    return version;
  }

  private async isAsking({
    workflowId,
    isStarting,
  }: NonNullable<QuarantinedVersion['release']>): Promise<boolean> {
    if (isStarting) return true;
    try {
      const { status } = await this.engine.get(workflowId);
      return status === 'RUNNING' || status === 'PAUSED';
    } catch (error) {
      // It was over long ago, and is kept no more.
      if (error instanceof NotFound) return false;
      throw error;
    }
  }
}

/** @returns the scan whose move it is. @throws Conflict */
function inQuarantine({ scanId, state }: QuarantinedVersion): string {
  if (scanId !== null && (state === 'moved' || state === 'copied')) return scanId;
  const why =
    state === 'released'
      ? 'It was released already.'
      : state === 'deleted'
        ? 'Its copy in quarantine was deleted: there is nothing to give back.'
        : 'It is not in quarantine.';
  throw new Conflict(why, { state });
}

function askedAlready(version: QuarantinedVersion): Conflict {
  inQuarantine(version);
  const { workflowId, askedBy: by, askedAt } = version.release ?? { workflowId: '', askedBy: '', askedAt: 0 };
  const at = new Date(askedAt).toISOString();
  return new Conflict(`Its release was asked for already, by ${by} at ${at}: workflow ${workflowId}.`, {
    workflowId,
    by,
    at,
  });
}
