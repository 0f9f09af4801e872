import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '../../../../errors.js';
import { linkBlocks, linkText } from '../people/link-invitation.js';
import { SlackIdentities } from '../people/slack-identities.js';
import { refusalOf, SlackSpeakers } from '../people/slack-speakers.js';
import { section } from '../block-kit.js';
import { proseSpan } from '../slack-text.js';
import { SLACK_COMMANDS, type SlackCommandHandler } from './commands.js';
import type { Handled, SlackHome } from './handled.js';
import { foreignness, originOfCommand } from './origin.js';
import { SlashCommand } from './payloads.js';

/** Slash commands, however they reach us: finds the local person who typed, and hands on to the handler that is meant. */
@Injectable()
export class SlackCommands {
  constructor(
    @Inject(SLACK_COMMANDS) private readonly handlers: readonly SlackCommandHandler[],
    private readonly identities: SlackIdentities,
    private readonly speakers: SlackSpeakers,
  ) {}

  async handle(payload: unknown, home: SlackHome): Promise<Handled> {
    const parsed = SlashCommand.safeParse(payload);
    if (!parsed.success) return { refused: 'malformed' };
    const typed = parsed.data;
    const refused = foreignness(originOfCommand(typed), home);
    if (refused !== undefined) return { refused };
    const handler =
      this.handlers.find(({ command }) => command === typed.command) ??
      this.handlers.find(({ command }) => command === undefined);
    if (handler === undefined) return privately({ text: 'This command does nothing here.' });
    const user = { id: typed.user_id, team_id: typed.team_id, name: typed.user_name };
    const who = await this.speakers.speaker(user, home);
    if (who === 'unknown') {
      const url = await this.identities.linkUrl({
        teamId: home.teamId,
        userId: typed.user_id,
        userName: typed.user_name ?? typed.user_id,
      });
      return privately({ text: linkText('command'), blocks: linkBlocks(url, 'command') });
    }
    if (typeof who === 'string') return privately(inWords(refusalOf(who, 'command')));
    try {
      const { ack, afterwards } = await handler.typed(typed, who, home);
      return { ...(ack === undefined ? {} : privately(ack)), afterwards };
    } catch (error) {
      if (!(error instanceof AppError) || error.status >= 500) throw error;
      return privately(inWords(error.message));
    }
  }
}

const privately = (message: Readonly<Record<string, unknown>>): Handled => ({
  ack: { ...message, response_type: 'ephemeral' },
});

// Names of people may be in it; in blocks Slack makes no links of what a text only mentions.
function inWords(text: string): Readonly<Record<string, unknown>> {
  const words = proseSpan(text, 2000);
  return { text: words, blocks: [section([words])] };
}
