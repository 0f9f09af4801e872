/*
 * What the bench and its processes say to each other over Node's IPC channel: one order, one answer.
 */

/** Runs workflows of so many tasks, always `concurrency` at once, and counts those that end within `seconds`. */
export interface LoopOrder {
  readonly kind: 'loop';
  readonly tasks: number;
  readonly concurrency: number;
  /** Runs before the counting begins. */
  readonly warmSeconds: number;
  readonly seconds: number;
}

export interface LoopResult {
  /** Ended within the counted seconds. */
  readonly counted: number;
  readonly seconds: number;
  /** Ended in all, with those before and after the counted seconds. */
  readonly total: number;
  /** Milliseconds from the call that starts a workflow until its end is known. */
  readonly p50: number;
  readonly p99: number;
  /** Ids of some of the workflows that were counted, spread over them. */
  readonly sample: readonly string[];
  /** All of the run, with what came before and after the counted seconds; so are the next two. */
  readonly wallSeconds: number;
  /** CPU seconds of the process. */
  readonly cpuSeconds: number;
  /** SQL texts that the process sent. */
  readonly statements: number;
  /** Most memory that the process had while it counted, in bytes. */
  readonly rssBytes: number;
}

/** Runs one workflow of so many tasks, one after the other. */
export interface ChainOrder {
  readonly kind: 'chain';
  readonly tasks: number;
}

/** Runs one workflow of so many tasks, all at the same time: a FORK_JOIN of as many branches. */
export interface ForkOrder {
  readonly kind: 'fork';
  readonly tasks: number;
}

/** Of a chain or a fork. */
export interface ChainResult {
  readonly workflowId: string;
  readonly milliseconds: number;
}

/** Starts workflows whose tasks nobody in the process takes, and keeps `open` of them unfinished until `stopFeeding`. */
export interface FeedOrder {
  readonly kind: 'feed';
  readonly tasks: number;
  readonly open: number;
}

export interface FeedResult {
  /** Workflows that ended since `feed`. */
  readonly ended: number;
  readonly sample: readonly string[];
}

/** Takes tasks over HTTP until `stopWorking`; the answer comes after the counted seconds, the work goes on. */
export interface WorkOrder {
  readonly kind: 'work';
  readonly taskType: string;
  /** Each polls for as many tasks as it has free slots, 50 at most. */
  readonly runners: number;
  readonly warmSeconds: number;
  readonly seconds: number;
}

export interface WorkResult {
  /** Tasks whose update was acknowledged within the counted seconds. */
  readonly counted: number;
  readonly seconds: number;
  /** HTTP requests within them. */
  readonly requests: number;
}

export interface WorkTotal {
  /** Tasks whose update was acknowledged, all in all. */
  readonly total: number;
}

/**
 * Starts so many workflows a second, however long they take: chains of three tasks, and one in ten each that waits for a
 * second, that has a failed attempt, and that runs another one inside.
 */
export interface PaceOrder {
  readonly kind: 'pace';
  readonly perSecond: number;
  readonly seconds: number;
}

export interface PaceResult {
  readonly started: number;
  readonly completed: number;
  /** Still open when the last one was started. */
  readonly open: number;
  /** Milliseconds from start to end, without those that wait. */
  readonly p50: number;
  readonly p99: number;
}

/** Of the process after a full garbage collection, in bytes. */
export interface MemoryResult {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

export type Order =
  | LoopOrder
  | PaceOrder
  | { readonly kind: 'memory' }
  | ChainOrder
  | ForkOrder
  | FeedOrder
  | WorkOrder
  | { readonly kind: 'stopFeeding' }
  | { readonly kind: 'stopWorking' };

export type Answer =
  PaceResult | MemoryResult | LoopResult | ChainResult | FeedResult | WorkResult | WorkTotal;

/** Sent once, when the process can take orders. */
export interface Ready {
  readonly kind: 'ready';
  readonly pid: number;
  /** Where its API listens; empty when it has none. */
  readonly url: string;
}

export type FromParent = { readonly id: number; readonly order: Order };
export type FromChild =
  | Ready
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };
