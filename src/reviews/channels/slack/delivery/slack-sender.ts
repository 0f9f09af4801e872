/* oxlint-disable unicorn/require-post-message-target-origin -- Slack's chat.postMessage, not a window's */
import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { WebClient } from '@slack/web-api';
import type { KnownBlock } from '@slack/types';
import { Clock, type Instant } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import { LOG, type Log } from '../../../../ops/log.js';
import type { Delivery, OutboxDelivery } from '../../../../outbound/outbox.js';
import { SlackAccess } from '../setup/slack-access.js';
import { SlackWorkspace } from '../setup/slack-workspace.js';
import { isKnownMessage } from '../sql/copies.js';
import { holdPace, reservePace } from '../sql/pace.js';
import { LITERALLY, NOTHING_UNFURLED } from '../slack-text.js';
import { findPosted } from './find-posted.js';
import { openedChannel, postedAt } from './posted-at.js';
import { SlackAnswerError, slackErrorCode, troubleOf, type SlackTrouble } from './slack-errors.js';

// Slack takes one message per second and channel. What leaves a second apart may arrive closer together.
const POST_EVERY_MS = 1100;
// Updates are limited for the workspace, at about 50 a minute; so are looks into the history.
const UPDATE_EVERY_MS = 1200;
const LOOK_EVERY_MS = 1200;
// Messages to people go to many channels at once; all together Slack takes some hundreds a minute.
const WORKSPACE_EVERY_MS = 200;
// Whoever waits longer gives its place to others.
const WAIT_AT_MOST_MS = 5000;

/** What is said. */
export interface SlackContent {
  readonly text: string;
  readonly blocks: KnownBlock[];
}

/** A message to be posted once. */
export interface Outgoing extends SlackContent {
  readonly channel: string;
  /** Root of the thread that it belongs to. */
  readonly thread?: string | undefined;
  /** Of a thread's: shown in the channel, too. */
  readonly broadcast?: boolean | undefined;
  /** The review that it is about, for whoever reads metadata. */
  readonly reviewId?: string | undefined;
}

export interface Posted {
  readonly kind: 'posted';
  readonly channel: string;
  readonly ts: string;
}

const MOST_DIRECTS = 1000;

const OFF: SlackTrouble = { kind: 'wait', seconds: 60, reason: 'Slack is not set up (any more)' };

/**
 * Says things in Slack: at the pace that Slack allows to all nodes together, and once. A message whose answer was lost is
 * looked for, by the id that it carries, before it is said again.
 */
@Injectable()
export class SlackSender {
  /** Conversations of a bot with single accounts: they stay. */
  private readonly directs = new WeakMap<WebClient, Map<string, string>>();

  constructor(
    @Inject(LOG) private readonly log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly access: SlackAccess,
    private readonly workspace: SlackWorkspace,
  ) {}

  /** @param row the outbox message that it is sent for. */
  async post(
    row: Pick<OutboxDelivery, 'kind' | 'key' | 'ambiguous' | 'enqueuedAt'>,
    message: Outgoing,
  ): Promise<Posted | SlackTrouble> {
    const { channel, thread, broadcast, text, blocks, reviewId } = message;
    return this.calling(`post:${channel}`, POST_EVERY_MS, async (web) => {
      const waited = await this.turn('workspace', WORKSPACE_EVERY_MS);
      if (waited !== undefined) return waited;
      const answer = await web.chat.postMessage({
        channel,
        text,
        blocks,
        metadata: {
          event_type: EVENT_TYPE,
          event_payload: {
            notification_id: notificationId(row),
            ...(reviewId === undefined ? {} : { review_id: reviewId }),
          },
        },
        ...(thread === undefined
          ? {}
          : broadcast === true
            ? { thread_ts: thread, reply_broadcast: true as const }
            : { thread_ts: thread }),
        ...NOTHING_UNFURLED,
        ...LITERALLY,
      });
      const said = postedAt(answer, channel);
      // Believed, the other one would be written over, and this one never be brought up to date.
      if (await isKnownMessage(this.db, said.channel, said.ts))
        throw new SlackAnswerError('the answer names a message that was there before');
      return { kind: 'posted', ...said };
    });
  }

  /** The message of an earlier attempt that nobody heard of; none where nothing can be lost. */
  async earlier(
    row: Pick<OutboxDelivery, 'kind' | 'key' | 'ambiguous' | 'enqueuedAt'>,
    where: Pick<Outgoing, 'channel' | 'thread' | 'reviewId'>,
  ): Promise<Posted | SlackTrouble | undefined> {
    if (!row.ambiguous) return undefined;
    const { channel } = where;
    const found = await this.calling('look', LOOK_EVERY_MS, async (web) => {
      const wanted = { notificationId: notificationId(row), reviewId: where.reviewId };
      try {
        const by = await this.workspace.known();
        const place = { ...where, since: row.enqueuedAt, eventType: EVENT_TYPE, by };
        const ts = await findPosted(web, place, wanted);
        return ts === undefined ? 'none' : { kind: 'posted' as const, channel, ts };
      } catch (error) {
        if (slackErrorCode(error) !== 'missing_scope') throw error;
        // Without the right to look, a second message is better than none: its buttons lead to the same review.
        this.log.warn({ channel }, 'a Slack scope to read history is missing: a message may appear twice');
        return 'none';
      }
    });
    return found === 'none' ? undefined : found;
  }

  /** Brings a message up to date; what is said is asked for once it is its turn. */
  async update(
    copy: { readonly channel: string; readonly ts: string },
    contentNow: () => Promise<SlackContent>,
  ): Promise<{ readonly kind: 'updated' } | SlackTrouble> {
    return this.calling('update', UPDATE_EVERY_MS, async (web) => {
      const { text, blocks } = await contentNow();
      await web.chat.update({
        channel: copy.channel,
        ts: copy.ts,
        text,
        blocks,
        ...LITERALLY,
      });
      return { kind: 'updated' };
    });
  }

  /** The conversation with one account alone. */
  async openDirect(
    userId: string,
  ): Promise<{ readonly kind: 'open'; readonly channel: string } | SlackTrouble> {
    const { web } = this.access;
    if (web === undefined) return OFF;
    const known = this.directs.get(web) ?? new Map<string, string>();
    const channel = known.get(userId);
    if (channel !== undefined) return { kind: 'open', channel };
    const opened = await this.calling('open', LOOK_EVERY_MS, async () => {
      const answer = await web.conversations.open({ users: userId });
      return { kind: 'open' as const, channel: openedChannel(answer) };
    });
    if (opened.kind === 'open') {
      if (known.size >= MOST_DIRECTS) known.clear();
      this.directs.set(web, known.set(userId, opened.channel));
    }
    // An app that may not write to people is of use in channels all the same.
    return opened.kind === 'workspace' && opened.reason === 'missing_scope'
      ? { kind: 'unreachable', reason: 'the scope im:write is missing' }
      : opened;
  }

  /** One call, at its turn. */
  private async calling<T>(
    pace: string,
    everyMs: number,
    call: (web: WebClient) => Promise<T | SlackTrouble>,
  ): Promise<T | SlackTrouble> {
    const { web } = this.access;
    if (web === undefined) return OFF;
    const waited = await this.turn(pace, everyMs);
    if (waited !== undefined) return waited;
    try {
      return await call(web);
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble.kind === 'wait') await holdPace(this.db, pace, this.now() + trouble.seconds * 1000);
      return trouble;
    }
  }

  private async turn(name: string, everyMs: number): Promise<SlackTrouble | undefined> {
    const now = this.now();
    const turn = await reservePace(this.db, {
      name,
      now,
      intervalMs: everyMs,
      horizonMs: WAIT_AT_MOST_MS,
    });
    if (turn.kind === 'far')
      return { kind: 'turn', seconds: Math.max(1, (turn.at - now) / 1000), reason: 'others come first' };
    await this.clock.sleepUntil(turn.at);
    return undefined;
  }

  private now(): Instant {
    return Math.round(this.clock.now());
  }
}

/** metadata.event_type of our messages. */
const EVENT_TYPE = 'sallyport_review';

/** By which a message is found again: of the outbox row that it was sent for. */
const notificationId = ({ kind, key }: Pick<OutboxDelivery, 'kind' | 'key'>): string =>
  createHash('sha256').update(`${kind}:${key}`).digest('hex').slice(0, 32);

/** How an attempt ends that is to be made again. */
export function retry(trouble: SlackTrouble): Delivery {
  const { reason } = trouble;
  if (trouble.kind === 'turn') return { kind: 'later', afterSeconds: trouble.seconds, reason };
  return {
    kind: 'retry',
    reason,
    ...(trouble.kind === 'wait' ? { afterSeconds: trouble.seconds } : {}),
    ...(trouble.kind === 'unsure' ? { ambiguous: true } : {}),
  };
}
