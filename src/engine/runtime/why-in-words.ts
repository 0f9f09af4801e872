import type { Instant } from '../../clock.js';
import type { Why } from '../model/why.js';

const OVERDUE_MS = 5_000;
const MOST_COUNTED = 10_000;

// The last that has an ISO date.
const LAST_DATE: Instant = 8_640_000_000_000_000;

const when = (at: Instant): string => new Date(Math.min(at, LAST_DATE)).toISOString();

const CAUSES = {
  wait: 'waits until',
  retry: 'failed and is tried again at',
  delay: 'is handed out from',
  callback: 'is handed out again, as its worker asked, at',
} as const;

/** One sentence for people; `now` tells what is overdue. */
export function inWords(why: Why, now: Instant): string {
  switch (why.kind) {
    case 'ended':
      return `It ended ${why.status} at ${when(why.at)}.`;
    case 'paused':
      return `It is paused until somebody resumes it; the last change was at ${when(why.changedAt)}.`;
    case 'lease':
      return leaseInWords(why);
    case 'timer':
      return `${why.reference} ${CAUSES[why.cause]} ${when(why.at)}.`;
    case 'person':
      return `${why.reference} waits for a person to decide, since ${when(why.since)}.`;
    case 'update':
      return `${why.reference} waits for somebody to complete it through the API, since ${when(why.since)}.`;
    case 'no_worker':
      return why.everAsked
        ? `${why.reference} waits for a worker: none has asked for ${why.taskType} since ${when(why.since)}.`
        : `${why.reference} waits for a worker since ${when(why.since)}: none has ever asked for ${why.taskType}.`;
    case 'backlog':
      return `${why.reference} waits for its turn since ${when(why.since)}: ${aheadInWords(why.ahead)} of ${why.taskType} before it.`;
    case 'child':
      return childInWords(why);
    case 'script':
      return `${why.reference} waits for its script to be evaluated, since ${when(why.since)}.`;
    case 'unknown':
      return unknownInWords(why.nextCheckAt, now);
    default:
      return why satisfies never;
  }
}

function leaseInWords({ reference, holder, node, since, until }: Extract<Why, { kind: 'lease' }>): string {
  return node === undefined
    ? `${reference} is with worker ${holder} since ${when(since)}; the lease ends at ${when(until)} unless it is heard of.`
    : `${reference} runs in process ${node.pid} on ${node.host} since ${when(since)}; it is handed out again when that process dies.`;
}

const aheadInWords = (ahead: number): string =>
  ahead >= MOST_COUNTED ? `${MOST_COUNTED} tasks or more` : ahead === 1 ? '1 task' : `${ahead} tasks`;

function childInWords({
  reference,
  childWorkflowId,
  childStatus,
  since,
}: Extract<Why, { kind: 'child' }>): string {
  const child = `${reference} waits for workflow ${childWorkflowId}`;
  if (childStatus === undefined) return `${child}, which has yet to start, since ${when(since)}.`;
  if (childStatus === 'RUNNING' || childStatus === 'PAUSED') {
    return `${child}, which is ${childStatus}, since ${when(since)}; ask why that one does not move.`;
  }
  return `${child}, which ended ${childStatus}; the news of it is on its way.`;
}

function unknownInWords(nextCheckAt: Instant | undefined, now: Instant): string {
  if (nextCheckAt === undefined) return 'No fault was found, and nothing is known that it waits for.';
  if (nextCheckAt < now - OVERDUE_MS) {
    return `It should have been looked at at ${when(nextCheckAt)}; check that a node with the role engine runs.`;
  }
  return `No fault was found; it is looked at again at ${when(nextCheckAt)}.`;
}
