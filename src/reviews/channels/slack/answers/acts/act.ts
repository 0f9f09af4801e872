import type { InputBlock } from '@slack/types';
import type { Review } from '../../../../review.js';
import type { ReviewCommand } from '../../../../rules/command.js';
import type { Reviewer } from '../../../../rules/review.js';
import type { Said } from '../said.js';

/** Something to do with a review other than deciding it: what has to be said first, and what is done then. */
export abstract class SlackAct {
  /** Of its own among all. */
  abstract readonly name: string;
  /** In the list of what can be done, as `Hold until…`; 75 characters at most. */
  abstract readonly label: string;
  /** Above its form and on its button; 24 characters at most. */
  abstract readonly title: string;
  /** Whether there is any sense in it now. Whether whoever asks may, is judged when it is done. */
  abstract fits(review: Review, who: Reviewer): boolean | Promise<boolean>;
  /** What has to be said; nothing when it is done at once. */
  inputs(_review: Review, _who: Reviewer): Promise<readonly InputBlock[]> {
    return Promise.resolve([]);
  }
  /** As a command that stands for what will be said, so that whoever may not is told before writing. */
  trial(_review: Review): ReviewCommand | undefined {
    return undefined;
  }
  /**
   * Does it. @returns what whoever did it is told.
   *
   * @throws InvalidInput naming a field by its block; what {@link ReviewsService.act} throws.
   */
  abstract perform(review: Review, said: Said, who: Reviewer): Promise<string>;
}

/** Injection token of the array of all of them, in the order in which they are listed. */
export const SLACK_ACTS = Symbol('SLACK_ACTS');
