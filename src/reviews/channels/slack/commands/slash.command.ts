import { Inject, Injectable } from '@nestjs/common';
import type { KnownBlock } from '@slack/types';
import type { Reviewer } from '../../../rules/review.js';
import { context, section } from '../block-kit.js';
import { SlackCommandHandler } from '../inbound/commands.js';
import type { Handled } from '../inbound/handled.js';
import type { SlashCommand } from '../inbound/payloads.js';
import { proseSpan } from '../slack-text.js';
import { firstWord, meantId, readCommand } from './command-line.js';
import { SLACK_VERBS, type SlackVerb, type Told } from './verb.js';
import { DecideVerb } from './verbs/decide.verb.js';

/** The slash command, whatever the app calls it. Everything that it answers only the one who typed sees. */
@Injectable()
export class ReviewCommand extends SlackCommandHandler {
  readonly command = undefined;

  constructor(
    @Inject(SLACK_VERBS) private readonly verbs: readonly SlackVerb[],
    private readonly decide: DecideVerb,
  ) {
    super();
  }

  async typed({ command, text, trigger_id: triggerId }: SlashCommand, who: Reviewer): Promise<Handled> {
    const line = readCommand(text);
    const verb =
      this.verbs.find(({ name, alsoNamed }) => name === line.verb || alsoNamed === line.verb) ??
      this.outcomeOf(line.verb, line.rest);
    const told =
      verb === undefined
        ? this.help(command, line.verb)
        : await verb.said({ ...line, command, triggerId }, who);
    return { ack: told === undefined ? undefined : inBlocks(told) };
  }

  /** A word that is no verb is the name of an outcome where a review's id follows. */
  private outcomeOf(verb: string, rest: string): SlackVerb | undefined {
    return verb !== '' && meantId(firstWord(rest).word) !== undefined ? this.decide : undefined;
  }

  private help(command: string, typed: string): Told {
    const lines = this.verbs.map(({ usage, does }) => `\`${proseSpan(command, 40)} ${usage}\`  ${does}`);
    const isKnown = typed === '' || typed === 'help';
    const blocks: KnownBlock[] = [
      ...(isKnown ? [] : [section([`There is no “${proseSpan(typed, 60)}”. There is:`])]),
      section(lines),
      context(['An ID is the first 8 characters of a review’s id, or its address.']),
    ];
    return { text: `${command} list, mine, show, claim, give-back, approve, reject, stats, help`, blocks };
  }
}

/** In blocks Slack makes no links of what a text only mentions. */
const inBlocks = ({ text, blocks = [section([text])] }: Told): Record<string, unknown> => ({ text, blocks });
