import type { KnownBlock } from '@slack/types';
import type { Reviewer } from '../../../rules/review.js';
import type { CommandLine } from './command-line.js';

/** What only the one who typed sees. */
export interface Told {
  /** In Slack's format, with whatever is a stranger's escaped. */
  readonly text: string;
  readonly blocks?: readonly KnownBlock[] | undefined;
}

/** What somebody typed, and what may be opened in answer. */
export interface Typed extends CommandLine {
  /** As the app calls it: `/sallyport`. */
  readonly command: string;
  /** Opens one window within three seconds. */
  readonly triggerId: string | undefined;
}

/** One thing that a slash command does. */
export abstract class SlackVerb {
  abstract readonly name: string;
  /** Another word for it, as of an earlier release. */
  readonly alsoNamed?: string;
  /** For the help, as `show ID`, and what it does. */
  abstract readonly usage: string;
  abstract readonly does: string;
  /** @returns the answer; nothing where a window opened instead. An AppError of it is told to whoever typed. */
  abstract said(typed: Typed, who: Reviewer): Promise<Told | undefined>;
}

/** Injection token of the array of all of them, in the order of the help. */
export const SLACK_VERBS = Symbol('SLACK_VERBS');
