import { randomUUID } from 'node:crypto';
import { Inject, Injectable, type Type } from '@nestjs/common';
import { z } from 'zod';
import { appendAudit } from '../audit/audit.js';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import type { Task } from '../engine/model/execution.js';
import { TaskWorker, TerminalError, type TaskContext, type TaskOutcome } from '../engine/ports.js';
import { OutboxBell } from '../outbound/outbox-bell.js';
import { Outbox } from '../outbound/outbox.js';
import { REVIEW_CHANNELS, type ReviewChannel } from './channels/channel.js';
import { EvidenceSource } from './evidence.js';
import type { Review } from './review.js';
import { audit, SYSTEM } from './reviews.service.js';
import type { Subject } from './rules/subject.js';
import { findReview } from './sql/find-review.js';
import { insertReview } from './sql/insert-review.js';
import { insertReviewEvent } from './sql/review-events.js';
import { subjectDigest } from './subject-digest.js';

const outcomeName = z
  .string()
  .min(1)
  .max(60)
  .regex(/^[A-Za-z0-9_-]+$/, 'may hold letters, digits, _ and -');

// What a definition leaves unresolved arrives as null.
const optionalText = z.string().max(4000).nullish();

const HumanInput = z.object({
  title: z.string().max(4000).nullish(),
  scanId: z.string().min(1).max(100).nullish(),
  verdict: optionalText,
  reason: optionalText,
  quarantine: z.object({ moved: z.boolean().nullish() }).nullish(),
  outcomes: z
    .array(outcomeName)
    .min(1)
    .max(5)
    .refine((names) => new Set(names).size === names.length, 'names an outcome twice')
    .nullish(),
});

const DEFAULT_OUTCOMES = ['approve', 'reject'];

/**
 * The worker of HUMAN tasks: opens the task's one review and leaves the task to whoever decides.
 *
 * Review, timeline, notifications and audit event commit together; handed out again, it finds the review and adds
 * nothing.
 */
@Injectable()
export class HumanWorker extends TaskWorker {
  readonly taskType = 'HUMAN';

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly bell: OutboxBell,
    private readonly evidence: EvidenceSource,
    @Inject(REVIEW_CHANNELS) private readonly channels: readonly ReviewChannel[],
  ) {
    super();
  }

  async execute(task: Task, context: TaskContext): Promise<TaskOutcome> {
    const existing = await findReview(this.db, { taskId: task.taskId });
    if (existing !== undefined) return { kind: 'parked' };
    const review = await this.draft(task);
    const messages = (await Promise.all(this.channels.map((channel) => channel.opened(review)))).flat();
    // Once around: what follows is durable, and must not be done for a task that is no longer ours.
    if (context.signal.aborted) return { kind: 'parked' };
    const opened = await this.db.transaction(async (tx) => {
      if ((await insertReview(tx, review)) === undefined) return false;
      const at = review.createdAt;
      const data = { taskId: review.taskId, workflowId: review.workflowId, digest: review.subjectDigest };
      await insertReviewEvent(tx, review.id, {
        at,
        kind: 'opened',
        by: { id: SYSTEM.id, name: SYSTEM.name },
        via: 'system',
        data: { outcomes: review.outcomes, told: messages.map((message) => message.kind) },
      });
      await appendAudit(tx, [audit(review.id, 'opened', SYSTEM, at, data)]);
      await this.outbox.enqueue(tx, messages);
      return true;
    });
    if (opened) {
      this.bell.ring();
      context.log(`review ${review.id} opened; ${messages.length} notifications on their way`);
    }
    return { kind: 'parked' };
  }

  private async draft(task: Task): Promise<Review> {
    const parsed = HumanInput.safeParse(task.inputData);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new TerminalError(
        `HUMAN task ${task.referenceTaskName}: input ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
      );
    }
    const input = parsed.data;
    const found: Subject =
      input.scanId == null
        ? { findings: [], findingsTotal: 0, fingerprints: [] }
        : await this.evidence.ofScan(input.scanId);
    const subject: Subject = {
      ...found,
      ...(input.verdict == null ? {} : { verdict: input.verdict }),
      ...(input.reason == null ? {} : { reason: input.reason }),
      ...(input.quarantine?.moved == null ? {} : { quarantined: input.quarantine.moved }),
    };
    const now = Math.round(this.clock.now());
    return {
      id: randomUUID(),
      taskId: task.taskId,
      workflowId: task.workflowInstanceId,
      scanId: input.scanId ?? undefined,
      title: input.title ?? 'A decision is needed',
      outcomes: input.outcomes ?? DEFAULT_OUTCOMES,
      subject,
      subjectDigest: subjectDigest(subject),
      state: 'OPEN',
      version: 1,
      createdAt: now,
      updatedAt: now,
    };
  }
}

/** In-process workers of this stage. */
export const REVIEW_WORKERS: readonly Type<TaskWorker>[] = [HumanWorker];
