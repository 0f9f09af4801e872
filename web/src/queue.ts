/* The backlog, what came out of it, and what never came in, as the server says them. Times are ISO 8601. */

import { call, type Page } from './api.js';

export const SOURCES = ['upload', 'request', 'rescan', 'backfill'] as const;
export type Source = (typeof SOURCES)[number];

export interface Queue {
  readonly endpointId: string;
  readonly bucket: string;
  readonly source: Source;
  readonly waiting: number;
  readonly postponed: number;
  readonly waitingBytes: number;
  readonly oldestAgeSeconds: number | null;
  readonly running: number;
  readonly runningBytes: number;
  readonly dead: number;
  readonly paused: boolean;
}

export interface Pause {
  readonly queue: string;
  readonly endpointId: string | null;
  readonly bucket: string | null;
  readonly source: Source | null;
  readonly reason: string | null;
  readonly pausedBy: string;
  readonly pausedAt: string;
}

export interface QueueSummary {
  readonly waiting: number;
  readonly running: number;
  readonly dead: number;
  readonly maxRunning: number;
  readonly maxRunningBytes: number;
  readonly pauses: readonly Pause[];
  readonly queues: readonly Queue[];
}

export const ITEM_STATES = ['waiting', 'postponed', 'running', 'dead'] as const;
export type ItemState = (typeof ITEM_STATES)[number];

export interface QueueItem {
  readonly scanId: string;
  readonly objectId: string;
  readonly state: ItemState;
  readonly bucket: string;
  readonly key: string;
  readonly source: Source;
  readonly priority: number | null;
  readonly workflowName: string;
  readonly workflowId: string;
  readonly sizeBytes: number | null;
  readonly enqueuedAt: string;
  readonly attempts: number | null;
  readonly notBefore: string | null;
  readonly diedAt: string | null;
  readonly code: string | null;
  readonly reason: string | null;
  /** What holds it while it waits. */
  readonly pause: Pause | null;
}

export interface Reject {
  readonly id: string;
  readonly source: string;
  readonly reason: string;
  readonly path: string;
  readonly message: string;
  readonly bucket: string | null;
  readonly deliveries: number;
  readonly lastAt: string;
  readonly truncated: boolean;
}

/** What a pause or resume is to be of; what is left out is all of it. */
export const nameOf = ({
  endpointId,
  bucket,
  source,
}: Pick<Pause, 'endpointId' | 'bucket' | 'source'>): Record<string, string> => ({
  ...(endpointId !== null && { endpointId }),
  ...(bucket !== null && { bucket }),
  ...(source !== null && { source }),
});

/** A queue that events come from. What was not asked yet is null. */
export interface EventQueue {
  readonly name: string;
  readonly url: string;
  /** As SQS approximates it. */
  readonly waiting: number | null;
  readonly deadLetterQueue: string | null;
  readonly deadLetters: number | null;
  readonly checkedAt: string | null;
  readonly problem: string | null;
  readonly remedy: string | null;
}

export const eventQueuesQuery = {
  queryKey: ['event-queues'],
  queryFn: () => call<Page<EventQueue>>('/api/v1/event-queues'),
  refetchInterval: 30_000,
} as const;

export const queueQuery = {
  queryKey: ['queue'],
  queryFn: () => call<QueueSummary>('/api/v1/queue'),
} as const;

const SOURCE_WORDS: Readonly<Record<Source, string>> = {
  upload: 'new uploads',
  request: 'requests',
  rescan: 'rescans',
  backfill: 'backfills',
};

/** A queue, as people say it. */
export function queueWords({ bucket, source }: Pick<Pause, 'bucket' | 'source'>): string {
  if (bucket === null && source === null) return 'everything';
  const place = bucket ?? 'every bucket';
  return source === null ? place : `${place}, ${SOURCE_WORDS[source]}`;
}

/** How long the oldest of all waits; undefined when nothing does. */
export function oldestWaitMs({ queues }: Pick<QueueSummary, 'queues'>): number | undefined {
  const ages = queues.flatMap(({ oldestAgeSeconds }) => oldestAgeSeconds ?? []);
  return ages.length === 0 ? undefined : Math.max(...ages) * 1000;
}
