/* oxlint-disable unicorn/require-post-message-target-origin -- Slack's chat.postMessage, not a window's */
import { Injectable } from '@nestjs/common';
import type { ReviewerPerson } from '../../../reviewers.js';
import { button, section } from '../block-kit.js';
import { LINK_ACTION } from '../people/link-invitation.js';
import { SlackIdentities } from '../people/slack-identities.js';
import { LITERALLY, NOTHING_UNFURLED, proseSpan } from '../slack-text.js';
import type { LinkRequest } from '../sql/identities.js';
import { askSlack, notSetUp } from './ask-slack.js';
import { SlackAccess } from './slack-access.js';

/** So long the link in a proposal works: over a weekend. */
export const PROPOSAL_DAYS = 3;

/** The direct message in which somebody is asked whether an account is theirs. */
@Injectable()
export class ProposalMessages {
  constructor(
    private readonly access: SlackAccess,
    private readonly identities: SlackIdentities,
  ) {}

  /** @throws Conflict, Overloaded, Unavailable */
  async send(
    account: Pick<LinkRequest, 'teamId' | 'userId' | 'userName'>,
    person: ReviewerPerson,
    asker: string,
  ): Promise<void> {
    const { web } = this.access;
    if (web === undefined) throw notSetUp();
    const opened = await askSlack(() => web.conversations.open({ users: account.userId }));
    const channel = opened.channel?.id ?? account.userId;
    const url = await this.identities.linkUrl(
      { ...account, personId: person.personId },
      PROPOSAL_DAYS * 86_400_000,
    );
    const text = 'Sallyport: is this your account?';
    await askSlack(() =>
      web.chat.postMessage({
        channel,
        text,
        blocks: [
          section([
            `*${text}*`,
            `${proseSpan(asker, 100)} proposes to link it to ${proseSpan(person.name, 100)} in Sallyport, so that reviews can be answered here. Sign in there and confirm it with one click. Was that not meant for you? Then leave it: nothing is linked without it.`,
            `The link works once, for ${PROPOSAL_DAYS} days.`,
          ]),
          { type: 'actions', elements: [{ ...button(LINK_ACTION, 'Link my account', 'link'), url }] },
        ],
        ...NOTHING_UNFURLED,
        ...LITERALLY,
      }),
    );
  }
}
