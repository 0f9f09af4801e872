import { Inject, Injectable } from '@nestjs/common';
import type { KnownBlock } from '@slack/types';
import { AppError, Overloaded } from '../../../../errors.js';
import { SLACK_BUTTONS, SLACK_FORMS, type SlackButton, type SlackForm } from '../answers/answer.js';
import { say } from '../answers/view.js';
import { HomeTabs } from '../home/home-tabs.js';
import { linkBlocks, linkText } from '../people/link-invitation.js';
import { SlackIdentities } from '../people/slack-identities.js';
import { refusalOf, SlackSpeakers } from '../people/slack-speakers.js';
import type { Handled, SlackHome } from './handled.js';
import { AfterWork } from './after-work.js';
import { foreignness, originOfInteraction } from './origin.js';
import { Interaction, Typed, type BlockActions, type ViewSubmission } from './payloads.js';
import { SlackWhispers } from './slack-whispers.js';

/**
 * Clicks and submitted forms, however they reach us: finds the local person behind the Slack account, and hands on to
 * the button or form that is meant. Nobody else is listened to.
 */
@Injectable()
export class SlackInteractions {
  constructor(
    @Inject(SLACK_BUTTONS) private readonly buttons: readonly SlackButton[],
    @Inject(SLACK_FORMS) private readonly forms: readonly SlackForm[],
    private readonly identities: SlackIdentities,
    private readonly speakers: SlackSpeakers,
    private readonly whispers: SlackWhispers,
    private readonly homeTabs: HomeTabs,
    private readonly after: AfterWork,
  ) {}

  async handle(payload: unknown, home: SlackHome): Promise<Handled> {
    const parsed = Interaction.safeParse(payload);
    // Slack also sends kinds that we do not use (a modal that was closed, a shortcut).
    if (!parsed.success) return isOurs(payload) ? { refused: 'malformed' } : {};
    const interaction = parsed.data;
    const refused = foreignness(originOfInteraction(interaction), home);
    if (refused !== undefined) return { refused };
    if (interaction.type === 'block_actions') {
      // Nothing was done yet: whoever clicked sees that it did not work, and clicks again.
      if (this.after.isFull) throw new Overloaded('Too many clicks are under way. Click again.', 1, 503);
      return { afterwards: () => this.clicked(interaction, home) };
    }
    return { ack: await this.submitted(interaction, home) };
  }

  private async clicked(payload: BlockActions, home: SlackHome): Promise<void> {
    const [action] = payload.actions;
    const button = this.buttons.find(({ actionId }) => isOf(actionId, action?.action_id ?? ''));
    if (action === undefined || button === undefined) return;
    const channel = payload.channel?.id ?? payload.container?.channel_id;
    const whisper = (text: string, blocks?: KnownBlock[]): Promise<void> =>
      this.whispers.whisper(
        { channel, userId: payload.user.id, triggerId: payload.trigger_id },
        text,
        blocks,
      );
    const who = await this.speakers.speaker(payload.user, home);
    if (who === 'unknown') {
      const url = await this.identities.linkUrl({
        teamId: home.teamId,
        userId: payload.user.id,
        userName: payload.user.username ?? payload.user.name ?? payload.user.id,
      });
      return whisper(linkText('click'), linkBlocks(url, 'click'));
    }
    if (typeof who === 'string') return whisper(refusalOf(who, 'click'));
    try {
      const value = action.value ?? action.selected_option?.value;
      const detail = action.action_id.slice(button.actionId.length);
      await button.clicked({ payload, home, detail, value, channel, whisper }, who);
      if (payload.view?.type === 'home') await this.homeTabs.touched(payload.user.id, home);
    } catch (error) {
      if (error instanceof AppError && error.status < 500) return whisper(error.message);
      await whisper(
        'Something went wrong on our side, and nothing was decided. Click again, or use the web.',
      );
      throw error;
    }
  }

  private async submitted(
    form: ViewSubmission,
    home: SlackHome,
  ): Promise<Record<string, unknown> | undefined> {
    const handler = this.forms.find(({ callbackId }) => callbackId === form.view.callback_id);
    if (handler === undefined) return undefined;
    const who = await this.speakers.speaker(form.user, home);
    if (who === 'unknown') return say('Not decided', UNLINKED);
    // On top of the form, which is still there with what was written in it.
    if (who === 'unchecked')
      return { ...say('Not decided yet', refusalOf('unchecked', 'click')), response_action: 'push' };
    if (typeof who === 'string') return say('Not decided', refusalOf(who, 'click'));
    return handler.submitted(form, who);
  }
}

const UNLINKED =
  'This Slack account is linked to nobody (any more). Nothing was decided. Click the button again to link it.';

const isOf = (actionId: string, clicked: string): boolean =>
  actionId.endsWith(':') ? clicked.startsWith(actionId) : clicked === actionId;

const KINDS: ReadonlySet<string> = new Set<Interaction['type']>(['block_actions', 'view_submission']);

/** Whether a payload that cannot be read is of a kind that we read, or says of no kind at all that it is. */
function isOurs(payload: unknown): boolean {
  const typed = Typed.safeParse(payload);
  return !typed.success || KINDS.has(typed.data.type);
}
