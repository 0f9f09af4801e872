import { escapeHtml, visible } from '../../../../outbound/safe-text.js';
import { frame } from '../../html-page.js';
import type { LinkRequest } from '../sql/identities.js';
import { SLACK_LINK_PATH } from './slack-identities.js';

/** The page on which somebody says that an account is theirs. */
export function linkForm(
  nonce: string,
  account: LinkRequest,
  shown: {
    readonly personName: string;
    readonly csrf: string;
    /** Slack knows the account by another e-mail address than that of the person. */
    readonly hasOtherAddress: boolean;
  },
): string {
  const who = `${visible(account.userName, 80)} (${visible(account.userId, 40)})`;
  const warning = shown.hasOtherAddress
    ? '<p class="notice error" role="alert">Slack knows this account by another e-mail address than yours. It may be somebody else’s.</p>\n'
    : '';
  return frame(
    nonce,
    'Link a Slack account',
    `<h1>Link a Slack account</h1>
${warning}<p>The Slack account <strong>${escapeHtml(who)}</strong> will decide in the name of <strong>${escapeHtml(visible(shown.personName, 100))}</strong>.</p>
<p>Go on only if this is your own account there: you clicked in Slack yourself, or got a direct message that proposes it.</p>
<form method="post" action="${SLACK_LINK_PATH}"><input type="hidden" name="csrf" value="${escapeHtml(shown.csrf)}">
<button class="primary">This is my Slack account</button></form>`,
  );
}
