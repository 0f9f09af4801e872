import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';

/** An S3 server that runs, and the keys to it. */
export interface S3Server {
  readonly endpoint: string;
  readonly region: string;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
  stop(): Promise<void>;
}

/** Of the servers that are started with keys of our choice. */
export const INTEROP_KEYS = { accessKeyId: 'interop-key', secretAccessKey: 'interop-secret' } as const;

export const clientOf = (server: Pick<S3Server, 'endpoint' | 'region' | 'keys'>): S3Client =>
  new S3Client({
    endpoint: server.endpoint,
    region: server.region,
    forcePathStyle: true,
    credentials: server.keys,
    maxAttempts: 2,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });

/** Of those given, the ones that keep versions are told so; the others never hear of versioning. */
export async function makeBuckets(
  s3: S3Client,
  buckets: Readonly<Record<string, 'versioned' | 'plain'>>,
): Promise<void> {
  for (const [Bucket, kind] of Object.entries(buckets)) {
    await s3.send(new CreateBucketCommand({ Bucket }));
    if (kind === 'plain') continue;
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  }
}
