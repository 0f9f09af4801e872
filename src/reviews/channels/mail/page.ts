import type { Review } from '../../review.js';
import { outcomeFacts } from '../../rules/outcome.js';
import { MAX_REASON_LENGTH } from '../../rules/command.js';
import { isShared } from '../../rules/policy.js';
import { isEnded } from '../../rules/review.js';
import { frame } from '../html-page.js';
import { minuteOf, questionOf, type Question } from '../question.js';
import { escapeHtml, visible } from '../../../outbound/safe-text.js';

/** What the page says first: how the last click went. */
export interface Notice {
  readonly tone: 'error' | 'done' | 'info';
  readonly text: string;
  /** Field that the notice is about, for people who do not see the page. */
  readonly field?: 'code' | 'reason' | undefined;
}

const FINDINGS_ON_PAGE = 20;

/** The question with its form, or how it ended. */
export function reviewPage(
  nonce: string,
  review: Review,
  form: {
    readonly email: string;
    readonly csrf: string;
    readonly action: string;
    readonly inboxUrl: string;
    readonly notice?: Notice | undefined;
    readonly reason?: string | undefined;
    readonly holderIsMe: boolean;
    readonly attemptsLeft: number;
    readonly dryRun: boolean;
  },
): string {
  const question = questionOf(review, FINDINGS_ON_PAGE, form.dryRun);
  const notice =
    form.notice === undefined
      ? ''
      : `<p class="notice ${form.notice.tone}" role="${form.notice.tone === 'error' ? 'alert' : 'status'}" id="notice">${escapeHtml(form.notice.text)}</p>`;
  const body = [
    `<p class="muted">You are acting as <strong>${escapeHtml(form.email)}</strong></p>`,
    `<h1>${escapeHtml(question.headline)}</h1>`,
    question.name === '' ? '' : `<p class="name"><bdi>${escapeHtml(question.name)}</bdi></p>`,
    notice,
    standing(review),
    facts(question),
    findings(question),
    isEnded(review.state)
      ? ''
      : `${forms(review, question, form)}
<p class="muted foot"><a href="${escapeHtml(form.inboxUrl)}">Sign in and decide in the inbox instead</a></p>`,
  ];
  return frame(nonce, question.headline, body.join('\n'));
}

function standing(review: Review): string {
  const { decision, cancelled, claim } = review;
  if (decision !== undefined) {
    const why =
      decision.reason === '' ? '' : `<br>Reason: <q>${escapeHtml(visible(decision.reason, 600))}</q>`;
    return `<p class="notice done" role="status">Decided: <strong>${escapeHtml(outcomeFacts(decision.outcome).label)}</strong>, by ${escapeHtml(visible(decision.by.name, 100))} on ${time(decision.at)}.${why}</p>`;
  }
  if (cancelled !== undefined)
    return `<p class="notice info" role="status">Nothing is left to decide since ${time(cancelled.at)}: ${escapeHtml(visible(cancelled.reason, 300))}.</p>`;
  if (claim !== undefined && review.state === 'ASSIGNED')
    return `<p class="notice info">${escapeHtml(visible(claim.by.name, 100))} was given this question at ${time(claim.at)}.</p>`;
  if (claim !== undefined)
    return `<p class="notice info">${escapeHtml(visible(claim.by.name, 100))} claimed this question at ${time(claim.at)}.</p>`;
  return '';
}

const facts = ({ facts: list }: Question): string =>
  `<dl>${list
    .map(
      ({ label, value, literal }) =>
        `<div><dt>${escapeHtml(label)}</dt><dd>${literal ? `<code><bdi>${escapeHtml(value)}</bdi></code>` : escapeHtml(value)}</dd></div>`,
    )
    .join('')}</dl>`;

function findings({ findings: list, more }: Question): string {
  if (list.length === 0) return '';
  const items = list.map(
    (finding) =>
      `<li><span class="chip ${escapeHtml(finding.severity)}">${escapeHtml(finding.severity)}</span> ${escapeHtml(finding.title)}
<span class="where"><bdi>${escapeHtml(finding.where)}</bdi></span>${finding.excerpt === '' ? '' : `<code class="excerpt">${escapeHtml(finding.excerpt)}</code>`}</li>`,
  );
  return `<h2>What was found</h2><ul class="findings">${items.join('\n')}</ul>${more > 0 ? `<p class="muted">and ${more} more</p>` : ''}`;
}

function forms(review: Review, question: Question, form: Parameters<typeof reviewPage>[2]): string {
  const hidden = `<input type="hidden" name="csrf" value="${escapeHtml(form.csrf)}"><input type="hidden" name="digest" value="${escapeHtml(review.subjectDigest)}">`;
  const described = (field: 'code' | 'reason'): string =>
    form.notice?.field === field ? ` aria-invalid="true" aria-describedby="notice"` : '';
  if (form.attemptsLeft <= 0) {
    return `<p class="notice error" role="alert">This link is locked after too many wrong codes. Sign in and decide in the inbox.</p>`;
  }
  // Where several decide, one who is on it keeps nobody else from voting.
  if (review.claim !== undefined && !form.holderIsMe && !isShared(review.policy)) return '';
  const claim =
    review.claim === undefined
      ? `<button name="do" value="claim" class="quiet">Only claim it for now</button>`
      : '';
  const needs = question.outcomes.filter((outcome) => outcome.needsReason).map((outcome) => outcome.label);
  // The hidden button comes first and does nothing, so that Enter in a field chooses no outcome by accident.
  return `<h2>Your decision</h2>
<form method="post" action="${escapeHtml(form.action)}" autocomplete="off">${hidden}
<button disabled hidden></button>
<label for="reason">Reason${needs.length === 0 ? '' : ` <span class="muted">(needed for: ${escapeHtml(needs.join(', '))})</span>`}</label>
<textarea id="reason" name="reason" rows="3" maxlength="${MAX_REASON_LENGTH}"${described('reason')}>${escapeHtml(form.reason ?? '')}</textarea>
<label for="code">Code from the mail</label>
<input id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required placeholder="0000 0000"${described('code')}>
<div class="choices">${question.outcomes
    .map(
      ({ name, label, effect, tone }) =>
        `<div><button name="do" value="decide:${escapeHtml(name)}" class="${tone}" aria-describedby="effect-${escapeHtml(name)}">${escapeHtml(label)}</button><p id="effect-${escapeHtml(name)}" class="muted">${escapeHtml(effect)}</p></div>`,
    )
    .join('\n')}</div>
${claim}
</form>`;
}

const time = (at: number): string => `<time datetime="${new Date(at).toISOString()}">${minuteOf(at)}</time>`;
