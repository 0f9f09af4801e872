import { Injectable } from '@nestjs/common';
import type { InputBlock } from '@slack/types';
import { Mentions, type Mention } from '../../../../comments/mentioned.js';
import type { Review } from '../../../../review.js';
import { ReviewsService } from '../../../../reviews.service.js';
import type { ReviewCommand } from '../../../../rules/command.js';
import type { Reviewer } from '../../../../rules/review.js';
import type { Said } from '../said.js';
import { SlackAct } from './act.js';
import { needed, words } from './fields.js';

/** Asks back; the review waits for the answer. */
@Injectable()
export class AskAct extends SlackAct {
  readonly name = 'ask';
  readonly label = 'Ask back, and wait for the answer…';
  readonly title = 'Ask back';

  constructor(
    private readonly reviews: ReviewsService,
    private readonly mentions: Mentions,
  ) {
    super();
  }

  fits({ state, info }: Review): boolean {
    return state !== 'ON_HOLD' && info === undefined;
  }

  override trial(): ReviewCommand {
    return { kind: 'ask', question: 'to be asked' };
  }

  override async inputs(): Promise<readonly InputBlock[]> {
    return [
      words('question', 'What do you want to know?', {
        hint: 'Whoever may see the review can answer it. Write @login or @address to tell somebody by mail.',
      }),
    ];
  }

  async perform(review: Review, said: Said, who: Reviewer): Promise<string> {
    const question = needed(said, 'question', 'must hold a question');
    await this.reviews.act(review.id, { kind: 'ask', question }, who);
    const written = { event: 'asked', where: 'question', text: question } as const;
    const { mentions } = await this.mentions.of(review, written, who);
    return ['It waits for the answer. You will be told.', ...toldLines(mentions)].join(' ');
  }
}

/** Who of those that were named hears of it, and who does not. */
function toldLines(mentions: readonly Mention[]): string[] {
  const those = (told: Mention['told']): string =>
    mentions
      .filter((mention) => mention.told === told)
      .map(({ name }) => name)
      .join(', ');
  const [mail, noAddress, nobody] = [those('mail'), those('no_address'), those('nobody')];
  return [
    ...(mail === '' ? [] : [`Told by mail: ${mail}.`]),
    ...(noAddress === '' ? [] : [`Not told, for want of an address: ${noAddress}.`]),
    ...(nobody === '' ? [] : [`Nobody of that name may see it: ${nobody}.`]),
  ];
}
