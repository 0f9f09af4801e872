import { Inject, Injectable } from '@nestjs/common';
import type { KnownBlock, ModalView } from '@slack/types';
import type { WebClient } from '@slack/web-api';
import { CONFIG, type Config } from '../../../config.js';
import { AppError, InvalidInput } from '../../../errors.js';
import { LOG, type Log } from '../../../ops/log.js';
import type { Review } from '../../review.js';
import { ReviewsService } from '../../reviews.service.js';
import type { Person, Reviewer } from '../../rules/review.js';
import type { SlackAccount } from '../../sql/slack.js';
import {
  CLAIM_ACTION,
  DECIDE_ACTION,
  DECIDE_VIEW,
  decideView,
  linkBlocks,
  parseValue,
  REASON_ACTION,
  REASON_BLOCK,
  sayView,
} from './blocks.js';
import { Interaction, ModalMemory, type BlockActions, type ViewSubmission } from './interaction.js';
import { createWebClient, slackSettings } from './slack-clients.js';
import { slackErrorCode } from './slack-errors.js';
import { SlackIdentities } from './slack-identities.js';
import { escapeSlack } from './slack-text.js';

/** What Slack is answered at once, and what is done after that. */
export interface Handled {
  readonly ack?: Readonly<Record<string, unknown>> | undefined;
  readonly afterwards?: (() => Promise<void>) | undefined;
}

/**
 * The one handler of clicks and submitted forms, however they reach us. Decides through the same call as the web and
 * the mail page, for the local person behind the Slack account and for nobody else.
 */
@Injectable()
export class SlackInteractions {
  private readonly web: WebClient | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) private readonly log: Log,
    private readonly identities: SlackIdentities,
    private readonly reviews: ReviewsService,
  ) {
    const settings = slackSettings(config);
    this.web = settings && createWebClient(settings, log);
  }

  /** `homeTeamId` is the workspace that our bot is in; accounts of others (Slack Connect) speak for nobody here. */
  async handle(payload: unknown, homeTeamId: string): Promise<Handled> {
    const parsed = Interaction.safeParse(payload);
    if (!parsed.success) return {};
    const interaction = parsed.data;
    if (interaction.type === 'block_actions')
      return { afterwards: () => this.clicked(interaction, homeTeamId) };
    return { ack: await this.submitted(interaction, homeTeamId) };
  }

  private async clicked(click: BlockActions, homeTeamId: string): Promise<void> {
    const [action] = click.actions;
    const value = parseValue(action?.value);
    const isOurs = action?.action_id === CLAIM_ACTION || action?.action_id.startsWith(DECIDE_ACTION) === true;
    if (action === undefined || value === undefined || !isOurs) return;
    const whisper = (text: string, blocks?: KnownBlock[]): Promise<void> => this.whisper(click, text, blocks);
    const who = await this.speaker(click, homeTeamId);
    if (who === 'unknown') {
      const url = await this.identities.linkUrl({
        ...accountOf(click, homeTeamId),
        userName: click.user.username ?? click.user.name ?? click.user.id,
      });
      return whisper('Link your Slack account first; nothing was decided.', linkBlocks(url));
    }
    if (who === 'foreign')
      return whisper('Only people of this workspace can answer here. Nothing was decided.');
    if (who === 'not_reviewer')
      return whisper(
        'Your account may not decide on reviews (it needs the role analyst). Nothing was decided.',
      );
    try {
      const review = await this.reviews.get(value.reviewId);
      if (action.action_id === CLAIM_ACTION) {
        await this.reviews.act(review.id, { kind: 'claim' }, who);
        return await whisper('It is yours now. Approve or reject it here, in the mail or on the web.');
      }
      await this.openForm(click, review, action.action_id.slice(DECIDE_ACTION.length), value.digest, who);
    } catch (error) {
      if (!(error instanceof AppError) || error.status >= 500) throw error;
      await whisper(error.message);
    }
  }

  private async openForm(
    click: BlockActions,
    review: Review,
    outcome: string,
    digest: string,
    who: Reviewer,
  ): Promise<void> {
    // Whoever could not decide anyway is told before writing a reason, not after.
    await this.reviews.tryOut(review, { kind: 'decide', outcome, reason: 'to be given', digest }, who);
    const memory: ModalMemory = {
      reviewId: review.id,
      digest,
      outcome,
      channel: click.channel?.id ?? click.container?.channel_id,
    };
    await this.web?.views.open({
      trigger_id: click.trigger_id,
      view: decideView(review, outcome, JSON.stringify(memory), this.config.DRY_RUN),
    });
  }

  private async submitted(
    form: ViewSubmission,
    homeTeamId: string,
  ): Promise<Record<string, unknown> | undefined> {
    if (form.view.callback_id !== DECIDE_VIEW) return undefined;
    const memory = ModalMemory.safeParse(parseJson(form.view.private_metadata));
    if (!memory.success) return say('Not understood', 'This form is too old. Click the button again.');
    const reason = form.view.state.values[REASON_BLOCK]?.[REASON_ACTION]?.value ?? '';
    if (reason.trim() === '')
      return { response_action: 'errors', errors: { [REASON_BLOCK]: 'Please say why.' } };
    const who = await this.speaker(form, homeTeamId);
    if (typeof who === 'string')
      return say('Not decided', 'Your Slack account may not decide (any more). Nothing was changed.');
    const { reviewId, outcome, digest } = memory.data;
    try {
      await this.reviews.act(
        reviewId,
        { kind: 'decide', outcome, reason: reason.replaceAll('\u0000', '').toWellFormed(), digest },
        who,
      );
      return undefined;
    } catch (error) {
      if (error instanceof InvalidInput)
        return { response_action: 'errors', errors: { [REASON_BLOCK]: error.message.slice(0, 300) } };
      if (error instanceof AppError && error.status < 500) return say('Not decided', error.message);
      this.log.error({ err: error, reviewId }, 'a decision from Slack could not be stored');
      return say(
        'Not decided',
        'Something went wrong on our side. Nothing was changed; try again or use the web.',
      );
    }
  }

  private async speaker(
    from: BlockActions | ViewSubmission,
    homeTeamId: string,
  ): Promise<Reviewer | 'unknown' | 'not_reviewer' | 'foreign'> {
    if ((from.user.team_id ?? homeTeamId) !== homeTeamId) return 'foreign';
    const person = await this.identities.personOf(accountOf(from, homeTeamId));
    return typeof person === 'string' ? person : speaking(person);
  }

  /** Says something to the one who clicked, and to nobody else. */
  private async whisper(click: BlockActions, text: string, blocks?: KnownBlock[]): Promise<void> {
    const channel = click.channel?.id ?? click.container?.channel_id;
    if (channel === undefined) return;
    try {
      await this.web?.chat.postEphemeral({
        channel,
        user: click.user.id,
        text: escapeSlack(text),
        ...(blocks === undefined ? {} : { blocks }),
      });
    } catch (error) {
      this.log.warn({ reason: slackErrorCode(error) }, 'a private answer did not reach Slack');
    }
  }
}

const accountOf = (from: BlockActions | ViewSubmission, homeTeamId: string): SlackAccount => ({
  teamId: homeTeamId,
  userId: from.user.id,
});

const speaking = (person: Person): Reviewer => ({ ...person, isAdmin: false, via: 'slack', method: 'slack' });

const say = (title: string, text: string): { response_action: 'update'; view: ModalView } => ({
  response_action: 'update',
  view: sayView(title, text),
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not ours then; the schema says no to undefined.
    return undefined;
  }
}
