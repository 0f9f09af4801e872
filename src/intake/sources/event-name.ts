import type { EventKind } from '../s3-event.js';

/** `ignored`: a real event that says nothing about what an object holds. */
export type Meaning = EventKind | 'ignored' | 'unknown';

const MEANINGS: readonly (readonly [RegExp, Meaning])[] = [
  [/^ObjectCreated:/, 'created'],
  [/^ObjectRestore:Completed$/, 'restored'],
  [/^(ObjectRemoved|LifecycleExpiration):DeleteMarkerCreated$/, 'marker'],
  [/^(ObjectRemoved|LifecycleExpiration):/, 'deleted'],
  [
    /^(ObjectRestore|ObjectTagging|ObjectAcl|ObjectAccessed|ObjectTransition|ObjectLock|ObjectRetention):/,
    'ignored',
  ],
  [
    /^(Replication|LifecycleTransition|LifecycleTransition:.*|IntelligentTiering|ReducedRedundancyLostObject)(:|$)/,
    'ignored',
  ],
  [/^(BucketCreated|BucketRemoved|Scanner|ILM|Annotation|ObjectAnnotation)(:|$)/, 'ignored'],
  // versitygw's name for one member of a multi-object delete.
  [/^ObjectRemoved$/, 'deleted'],
];

/** AWS sends the bare name, MinIO and versitygw put `s3:` before it. */
export const withoutPrefix = (eventName: string): string => eventName.replace(/^s3:/, '');

export const meaningOf = (bareName: string): Meaning =>
  MEANINGS.find(([pattern]) => pattern.test(bareName))?.[1] ?? 'unknown';
