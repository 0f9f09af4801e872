/** Why something waits, as queues are told apart: an upload, somebody's request, a rescan, what was there before. */
export const SOURCE_CLASSES = ['request', 'upload', 'rescan', 'backfill'] as const;
export type SourceClass = (typeof SOURCE_CLASSES)[number];

/**
 * The class of what a source tells. Whatever is none of the other three is an upload, also one that only a listing
 * found (`reconcile`): it is late already.
 */
export const sourceClassOf = (source: string): SourceClass =>
  SOURCE_CLASSES.find((known) => known === source) ?? 'upload';
