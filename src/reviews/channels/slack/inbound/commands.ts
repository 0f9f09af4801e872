import type { Reviewer } from '../../../rules/review.js';
import type { Handled, SlackHome } from './handled.js';
import type { SlashCommand } from './payloads.js';

/**
 * Answers a slash command. By then it is known for whom the account speaks; an AppError of it is told to whoever typed,
 * and to nobody else.
 */
export abstract class SlackCommandHandler {
  /** Its name, as `/sallyport`; `undefined` takes every name that no other handler has. */
  abstract readonly command: string | undefined;
  /**
   * @returns the message that only the one who typed sees, as the acknowledgement (`text`, `blocks`; it becomes
   *   ephemeral by itself), and what may take longer than three seconds.
   */
  abstract typed(command: SlashCommand, who: Reviewer, home: SlackHome): Promise<Handled>;
}

/** Injection token of the array of all of them. */
export const SLACK_COMMANDS = Symbol('SLACK_COMMANDS');
