import type { SourceKind } from './s3-event.js';

const HEX = /^[0-9A-F]{1,64}$/;
const WIDTH = 64;
// Seconds and a part of one: both kinds have at least as many digits.
const MIN_AWS_LENGTH = 12;

/**
 * Sources whose sequencers order the uploads of one key. EventBridge carries the same ones as S3's notifications.
 * versitygw's counter restarts at 1 with its process and others send clock readings: they order nothing.
 */
const DOMAINS: Readonly<Partial<Record<SourceKind, string>>> = {
  aws: 'aws',
  eventbridge: 'aws',
  minio: 'minio',
  embedded: 'embedded',
};

/**
 * A sequencer as text that sorts in its order, or undefined where the source gives no order. S3's rule: pad the
 * shorter one on the RIGHT with zeros, then compare as text, only among events of one key.
 */
export function sequenceOf(
  sourceKind: SourceKind,
  sequencer: string | undefined,
): { readonly domain: string; readonly padded: string } | undefined {
  const domain = DOMAINS[sourceKind];
  const text = sequencer?.toUpperCase();
  if (domain === undefined || text === undefined || !HEX.test(text)) return undefined;
  return { domain: domain === 'aws' ? awsForm(text) : domain, padded: text.padEnd(WIDTH, '0') };
}

/**
 * S3 writes them as `0055AED6…`, and EventBridge's pages show them without the zeros in front. Padded on the right, any
 * of the one kind would come after all of the other, so the kinds are not compared at all.
 */
const awsForm = (sequencer: string): string =>
  sequencer.length >= MIN_AWS_LENGTH && !sequencer.startsWith('00') ? 'aws-unpadded' : 'aws';

/** Negative when `a` came before `b`, positive when after, 0 for the same place. Both are hexadecimal. */
export function compareSequencers(a: string, b: string): number {
  const width = Math.max(a.length, b.length);
  const left = a.toUpperCase().padEnd(width, '0');
  const right = b.toUpperCase().padEnd(width, '0');
  return left === right ? 0 : left < right ? -1 : 1;
}
