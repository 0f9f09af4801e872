import type { Instant } from '../clock.js';

/** What happened to the object. `restored`: an archived one is readable again. `marker`: hidden, its versions remain. */
export type EventKind = 'created' | 'restored' | 'deleted' | 'marker';

/** Which software made the message; decides whether its sequencers can be trusted. */
export type SourceKind =
  | 'aws'
  | 'eventbridge'
  | 'guardduty'
  | 'minio'
  | 'versitygw'
  | 'ceph'
  | 'embedded'
  | 'job'
  | 'listing'
  | 'other';

/** What another scanner says of the object. Recorded beside our own verdict; it never makes one `clean`. */
export interface ExternalOpinion {
  readonly engine: 'guardduty';
  /** In the other scanner's words, as `THREATS_FOUND`. */
  readonly result: string;
  /** Names of what it found; empty unless it found something. */
  readonly threats: readonly string[];
}

/** One thing that a source says happened, in one shape for every source. Nothing in it is believed but the name. */
export interface S3Event {
  readonly kind: EventKind;
  /** Without the prefix `s3:`. */
  readonly eventName: string;
  readonly sourceKind: SourceKind;
  readonly bucket: string;
  /** Decoded. */
  readonly key: string;
  /** The key's encoding was broken; `key` is the text as it came. */
  readonly keyIsRaw: boolean;
  readonly versionId?: string | undefined;
  /** Without quotes. */
  readonly eTag?: string | undefined;
  readonly sizeBytes?: number | undefined;
  readonly sequencer?: string | undefined;
  readonly eventTime?: Instant | undefined;
  /** Who did it, as the source tells: `AWS:AROA…:session`, an access key. */
  readonly principal?: string | undefined;
  /** That was the service itself. */
  readonly isOwn?: true | undefined;
  readonly opinion?: ExternalOpinion | undefined;
  /** The smallest message that says this event and nothing else, so that it can be taken in again later. */
  readonly message?: unknown;
}

/** A message, or a part of one, that cannot be used; kept with its reason. */
export interface RejectedEvent {
  /** lower_snake_case code. */
  readonly reason: string;
  /** Where in the message, as `Records[0].s3.object.key`; empty for the whole. */
  readonly path: string;
  readonly message: string;
  readonly bucket?: string | undefined;
  /** As it came; where only a part is wrong, a message that holds just that part. */
  readonly raw: unknown;
}

/** A message taken apart. */
export interface Normalised {
  readonly events: readonly S3Event[];
  readonly rejects: readonly RejectedEvent[];
  /** Well-formed and of no concern to us: tagging, ACLs, transitions. */
  readonly ignored: number;
  /** A setup probe, which only wants an answer. */
  readonly isTest: boolean;
}
