import { OWNER_ID } from './message.js';
import type { ObjectEvent } from './model.js';
import { encodeForm } from './uri.js';

/** A message body as S3 sends it to a queue. */
export interface S3EventMessage {
  readonly Records: readonly S3EventRecord[];
}

/** One record of AWS's notification format, version 2.1. */
export interface S3EventRecord {
  readonly eventVersion: string;
  readonly eventSource: 'aws:s3';
  readonly awsRegion: string;
  readonly eventTime: string;
  /** Without the `s3:` before it. */
  readonly eventName: string;
  readonly userIdentity: { readonly principalId: string };
  readonly requestParameters: { readonly sourceIPAddress: string };
  readonly responseElements: { readonly 'x-amz-request-id': string; readonly 'x-amz-id-2': string };
  readonly s3: {
    readonly s3SchemaVersion: string;
    readonly configurationId: string;
    readonly bucket: {
      readonly name: string;
      readonly ownerIdentity: { readonly principalId: string };
      readonly arn: string;
    };
    readonly object: {
      /** Form-encoded. */
      readonly key: string;
      readonly size?: number;
      /** Without quotes. */
      readonly eTag?: string;
      readonly versionId?: string;
      /** Hex, of one length always, growing: any way of comparing orders it. */
      readonly sequencer: string;
    };
  };
}

export const eventMessage = (events: readonly ObjectEvent[], region: string): S3EventMessage => ({
  Records: events.map((event) => eventRecord(event, region)),
});

const eventRecord = (event: ObjectEvent, region: string): S3EventRecord => ({
  eventVersion: '2.1',
  eventSource: 'aws:s3',
  awsRegion: region,
  eventTime: new Date(event.at).toISOString(),
  eventName: event.name,
  userIdentity: { principalId: event.principal },
  requestParameters: { sourceIPAddress: event.sourceIp },
  responseElements: { 'x-amz-request-id': event.requestId, 'x-amz-id-2': 'sallyport' },
  s3: {
    s3SchemaVersion: '1.0',
    configurationId: 'sallyport-embedded',
    bucket: {
      name: event.bucket,
      ownerIdentity: { principalId: OWNER_ID },
      arn: `arn:aws:s3:::${event.bucket}`,
    },
    object: {
      key: encodeForm(event.key),
      ...(event.size === undefined ? {} : { size: event.size }),
      ...(event.etag === undefined ? {} : { eTag: event.etag }),
      ...(event.versionId === undefined ? {} : { versionId: event.versionId }),
      sequencer: event.n.toString(16).toUpperCase().padStart(18, '0'),
    },
  },
});
