import type { OutboxMessage } from '../../../../outbound/outbox.js';
import type { Telling } from '../../channel.js';
import { suffixOf } from '../../mail/mail.channel.js';
import type { Unsaid } from '../sql/unsaid.js';

/*
 * The outbox messages of Slack. What follows one after the other has a group: the new reviews of a queue, what one person
 * is told, the states of one message, the lines of one thread. So nobody who is slow or broken holds up the others.
 */

/** A review's own message in its channel. */
export const SLACK_POST = 'slack.post';
/** A direct message. */
export const SLACK_DIRECT = 'slack.direct';
/** A review changed: finds what shows it. */
export const SLACK_UPDATE = 'slack.update';
/** One message shows less than there is. */
export const SLACK_COPY = 'slack.copy';
/** One message about many new reviews. */
export const SLACK_STORM = 'slack.storm';
/** A line in a message's thread. */
export const SLACK_THREAD = 'slack.thread';
/** Looks how a workflow goes on after a decision. */
export const SLACK_STEPS = 'slack.steps';
/** The digest of a day or a week. */
export const SLACK_DIGEST = 'slack.digest';
/** Looks whether what was broken works again. */
export const SLACK_CHECK = 'slack.check';

/** @param again tells a later posting of the same review from the first. */
export const postMessage = (
  review: { readonly id: string; readonly queue: string },
  again?: {
    readonly key: string;
    /** Since when an earlier one may have arrived. */
    readonly lookSince?: number | undefined;
    /** Whatever else is new. */
    readonly single?: boolean | undefined;
    /** How often it failed after the place had worked for others. */
    readonly tried?: number | undefined;
    /** It goes to a broken place, and shows whether that works again: which, and since when it is broken. */
    readonly probe?: string | undefined;
  },
): OutboxMessage => ({
  kind: SLACK_POST,
  key: again === undefined ? review.id : `${review.id}:${again.key}`,
  group: laneOf(review.queue),
  payload: {
    reviewId: review.id,
    ...(again?.lookSince === undefined ? {} : { lookSince: again.lookSince }),
    ...(again?.single === true ? { single: true } : {}),
    ...(again?.tried === undefined || again.tried === 0 ? {} : { tried: again.tried }),
    ...(again?.probe === undefined ? {} : { probe: again.probe }),
  },
});

const LANE = `${SLACK_POST}:`;

/** The group of a queue's new reviews. */
export const laneOf = (queue: string): string => `${LANE}${queue}`;

/** The queue of such a group. */
export const queueOfLane = (group: string): string => group.slice(LANE.length);

/** The group of what one person is told. */
export const directLane = (personId: string): string => `${SLACK_DIRECT}:${personId}`;

/** @param single whatever else is new for them. @param again tells a later one like it from the first. */
export const directMessage = (
  reviewId: string,
  personId: string,
  telling: Telling,
  single = false,
  again?: string,
): OutboxMessage => ({
  kind: SLACK_DIRECT,
  key: `${reviewId}:${personId}${again === undefined ? '' : `:${again}`}${single ? ':single' : suffixOf(telling)}`,
  // One after the other: the second is a line below the first.
  group: directLane(personId),
  payload: { reviewId, personId, telling, ...(single ? { single } : {}) },
});

/** A review is at this version. */
export const updateMessage = (reviewId: string, version: number): OutboxMessage => ({
  kind: SLACK_UPDATE,
  key: `${reviewId}:${version}`,
  payload: { reviewId },
});

/** What was passed over is shown now. @param again tells this time from others. */
export const updateAgain = (reviewId: string, again: string): OutboxMessage => ({
  kind: SLACK_UPDATE,
  key: `${reviewId}:${again}`,
  payload: { reviewId, again },
});

/** @param line as the thread's handler reads it. @param again tells a later attempt from the first. */
export const threadMessage = ({ reviewId, eventId, line }: Unsaid, again?: string): OutboxMessage => ({
  kind: SLACK_THREAD,
  key: again === undefined ? `${reviewId}:${eventId}` : `${reviewId}:${eventId}:${again}`,
  group: `${SLACK_THREAD}:${reviewId}`,
  payload: { ...line, reviewId, eventId },
});

/** @param what tells one state from the next. @param probe as of a post. */
export const copyMessage = (
  reviewId: string,
  { channel, ts }: { readonly channel: string; readonly ts: string },
  what: string,
  probe?: string,
): OutboxMessage => ({
  kind: SLACK_COPY,
  key: `${reviewId}:${channel}:${ts}:${what}`,
  // One at a time for each message, so that an older state cannot overtake a newer one.
  group: `${SLACK_COPY}:${channel}:${ts}`,
  payload: { reviewId, channel, ts, ...(probe === undefined ? {} : { probe }) },
});
