import { Injectable } from '@nestjs/common';
import type { WebClient } from '@slack/web-api';
import { z } from 'zod';
import { Database } from '../../../../database/database.js';
import { Outbox, OutboxHandler, type Delivery, type OutboxDelivery } from '../../../../outbound/outbox.js';
import { SlackAccess } from '../setup/slack-access.js';
import { brokenPlaces, WORKSPACE } from '../sql/broken.js';
import { BrokenSlack } from './broken-slack.js';
import { SlackAnswerError, slackErrorCode, troubleOf } from './slack-errors.js';
import { SLACK_CHECK } from './slack-kinds.js';

const Payload = z.object({ place: z.string().min(1), since: z.number(), n: z.number().int().min(1) });

// Without the right to look, only a message shows it; so the next one may try.
const NO_LOOK = new Set(['missing_scope', 'unknown_method', 'method_not_supported_for_channel_type']);

const Channel = z.object({
  is_archived: z.boolean().optional(),
  is_member: z.boolean().optional(),
  is_private: z.boolean().optional(),
});

/** Looks now and then whether what was broken works again; the next look is recorded with this one. */
@Injectable()
export class SlackCheckHandler extends OutboxHandler {
  readonly kind = SLACK_CHECK;
  override readonly concurrency = 2;

  constructor(
    private readonly db: Database,
    private readonly outbox: Outbox,
    private readonly access: SlackAccess,
    private readonly broken: BrokenSlack,
  ) {
    super();
  }

  async deliver({ payload }: OutboxDelivery): Promise<Delivery> {
    const check = Payload.safeParse(payload);
    if (!check.success) return { kind: 'giveUp', reason: `not a check: ${check.error.message}` };
    const { place, n } = check.data;
    const found = (await brokenPlaces(this.db)).find((one) => one.place === place);
    // It was found whole by a message that went through, or broke anew and has looks of its own.
    if (found?.since !== check.data.since) return { kind: 'sent', receipt: { works: true } };
    const works = await this.works(place, found.reason);
    if (works) await this.broken.looksWhole(place, check.data);
    else await this.outbox.enqueue(this.db, [this.broken.nextLook(found, n + 1)]);
    return { kind: 'sent', receipt: { works } };
  }

  private async works(place: string, reason: string): Promise<boolean> {
    const { web } = this.access;
    if (web === undefined) return false;
    try {
      return place === WORKSPACE ? await workspaceWorks(web, reason) : await channelWorks(web, place);
    } catch (error) {
      if (NO_LOOK.has(slackErrorCode(error))) return true;
      // Whatever else it is, it does not work; throws what has nothing to do with Slack.
      troubleOf(error);
      return false;
    }
  }
}

async function workspaceWorks(web: WebClient, reason: string): Promise<boolean> {
  const { response_metadata: more } = await web.auth.test();
  return reason !== 'missing_scope' || (more?.scopes ?? ['chat:write']).includes('chat:write');
}

async function channelWorks(web: WebClient, channel: string): Promise<boolean> {
  const answer = await web.conversations.info({ channel });
  const told = Channel.safeParse(answer.channel);
  if (!told.success) throw new SlackAnswerError('the answer does not say how the channel is');
  const { is_archived: isArchived, is_member: isMember, is_private: isPrivate } = told.data;
  if (isArchived === true) return false;
  if (isMember !== false) return true;
  return isPrivate !== true && (answer.response_metadata?.scopes ?? []).includes('chat:write.public');
}
