import { createHash } from 'node:crypto';
import { isVersioned } from '../verdicts/identity.js';
import type { S3Event } from './s3-event.js';
import { sequenceOf } from './sequencer.js';

/**
 * What tells one upload of the same bytes to the same key from the next: the sequencer where the source keeps one
 * order, else whatever the source gives. `undefined` when it gives nothing, and two messages cannot be told apart.
 */
export function occurrenceOf(event: S3Event): string | undefined {
  if (sequenceOf(event.sourceKind, event.sequencer) !== undefined) return `s:${event.sequencer}`;
  if (event.sequencer === undefined && event.eventTime === undefined) return undefined;
  // A counter that restarts with its process repeats itself; with the time it does not.
  return `t:${event.sequencer ?? ''}@${event.eventTime ?? ''}`;
}

/**
 * The same for two deliveries of one event, whichever way they came: endpoint, bucket, key, kind, and the version or
 * else eTag, size and sequencer. `nonce` keeps apart what the source gave nothing to tell apart by; a repeated
 * delivery is then folded when the object is inspected.
 */
export function eventKeyOf(endpointId: string, event: S3Event, nonce: string): string {
  const what =
    isVersioned(event) && event.versionId !== undefined
      ? ['version', event.versionId]
      : ['state', event.eTag ?? '', String(event.sizeBytes ?? ''), occurrenceOf(event) ?? `n:${nonce}`];
  // A restored version is news each time that it is restored.
  const again = event.kind === 'restored' ? [occurrenceOf(event) ?? `n:${nonce}`] : [];
  return createHash('sha256')
    .update(JSON.stringify([endpointId, event.bucket, event.key, event.kind, ...what, ...again]))
    .digest('hex');
}
