import type { HomeView, KnownBlock } from '@slack/types';
import type { Review } from '../../../review.js';
import { riskOf } from '../../../rules/risk.js';
import { button, context, header, linkButton, option, section } from '../block-kit.js';
import { reviewButtons } from '../review-buttons.js';
import { reviewLine } from '../review-line.js';
import { proseSpan } from '../slack-text.js';
import { FILTER_LABELS, HOME_FILTERS, type HomeFilter } from './home-filter.js';

/** action_ids of what is in the tab beside the reviews' own buttons. */
export const FILTER_ACTION = 'review.home.filter';
export const INBOX_ACTION = 'review.home.inbox';
export const LINK_HOME_ACTION = 'review.home.link';

/** So many reviews have room, with their buttons. */
export const MOST_IN_HOME = 20;
const MOST_TROUBLES = 5;

/** How the queues stand that somebody sees. */
export interface HomeCounts {
  readonly waiting: number;
  readonly unclaimed: number;
  readonly breached: number;
}

export interface HomeContent {
  readonly filter: HomeFilter;
  /** Of that filter, in no order. */
  readonly reviews: readonly Review[];
  readonly hasMore: boolean;
  readonly counts: HomeCounts;
  /** What does not work now, in sentences. */
  readonly troubles: readonly string[];
  readonly inboxUrl: string;
  readonly pageOf: (review: Review) => string;
}

/** The inbox of one person: what waits for them, what is due and gravest first. */
export function homeView(content: HomeContent): HomeView {
  const { filter, counts, inboxUrl } = content;
  const shown = [...content.reviews].sort(bySoonest).slice(0, MOST_IN_HOME);
  const isCut = content.hasMore || content.reviews.length > shown.length;
  return {
    type: 'home',
    blocks: [
      header('Reviews'),
      context([
        `${counts.waiting} waiting, ${counts.unclaimed} of them with nobody, ${counts.breached} overdue. Answer here, in a review’s message or on the web.`,
      ]),
      ...troublesOf(content.troubles),
      {
        type: 'actions',
        elements: [
          {
            type: 'static_select',
            action_id: FILTER_ACTION,
            options: HOME_FILTERS.map((name) => option(name, FILTER_LABELS[name])),
            initial_option: option(filter, FILTER_LABELS[filter]),
          },
          linkButton(INBOX_ACTION, 'Open the web inbox', 'inbox', inboxUrl),
        ],
      },
      { type: 'divider' },
      ...(shown.length === 0 ? [section(['Nothing waits here.'])] : []),
      ...shown.flatMap((review): KnownBlock[] => [
        section(reviewLine(review).split('\n')),
        reviewButtons(review, content.pageOf(review)),
      ]),
      ...(isCut ? [context(['There are more: the web inbox has them all.'])] : []),
    ],
  };
}

const troublesOf = (troubles: readonly string[]): KnownBlock[] =>
  troubles.length === 0
    ? []
    : [section(troubles.slice(0, MOST_TROUBLES).map((trouble) => `*Note* ${proseSpan(trouble, 400)}`))];

/** What somebody sees whose account speaks for nobody. @param isUnknown it can be linked. */
export const speechlessHome = (text: string, isUnknown: boolean, inboxUrl: string): HomeView => ({
  type: 'home',
  blocks: [
    header('Reviews'),
    section([proseSpan(text, 1000)]),
    {
      type: 'actions',
      elements: [
        ...(isUnknown ? [button(LINK_HOME_ACTION, 'Link my account', 'link')] : []),
        linkButton(INBOX_ACTION, 'Open the web inbox', 'inbox', inboxUrl),
      ],
    },
  ],
});

function bySoonest(one: Review, other: Review): number {
  const due = (one.dueAt ?? Infinity) - (other.dueAt ?? Infinity);
  // Two without a deadline differ by no number.
  if (due !== 0 && !Number.isNaN(due)) return due;
  return riskIn(other) - riskIn(one) || one.createdAt - other.createdAt || (one.id < other.id ? -1 : 1);
}

const riskIn = ({ risk, subject }: Review): number => risk ?? riskOf(subject);
