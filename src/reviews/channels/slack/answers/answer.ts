import type { Reviewer } from '../../../rules/review.js';
import type { SlackHome } from '../inbound/handled.js';
import type { BlockActions, ViewSubmission } from '../inbound/payloads.js';
import type { KnownBlock } from '@slack/types';

/** One click, and a way to answer whoever made it. */
export interface Click {
  readonly payload: BlockActions;
  readonly home: SlackHome;
  /** What follows the handler's own action_id, and the button's value. */
  readonly detail: string;
  readonly value: string | undefined;
  readonly channel: string | undefined;
  /** Says something to the one who clicked, and to nobody else. */
  readonly whisper: (text: string, blocks?: KnownBlock[]) => Promise<void>;
}

/** Answers one kind of button. An AppError of it is whispered to the one who clicked. */
export abstract class SlackButton {
  /** Its action_id; one that ends in a colon stands for all that begin so. */
  abstract readonly actionId: string;
  abstract clicked(click: Click, who: Reviewer): Promise<void>;
}

/** Answers one kind of modal. */
export abstract class SlackForm {
  abstract readonly callbackId: string;
  /** @returns the acknowledgement: field errors, another view, or nothing, which closes the modal. */
  abstract submitted(form: ViewSubmission, who: Reviewer): Promise<Record<string, unknown> | undefined>;
}

/** Injection tokens of the arrays of all of them. */
export const SLACK_BUTTONS = Symbol('SLACK_BUTTONS');
export const SLACK_FORMS = Symbol('SLACK_FORMS');
