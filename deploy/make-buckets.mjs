// Makes the buckets of S3_BUCKETS and QUARANTINE_BUCKET where they are missing, and turns their versioning on.
// Waits for the S3 server for up to a minute; harmless to run again.
import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateBucketCommand,
  GetBucketVersioningCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';

const s3 = new S3Client({
  endpoint: process.env.S3_ENDPOINT,
  region: process.env.S3_REGION || 'us-east-1',
  forcePathStyle: process.env.S3_FORCE_PATH_STYLE === 'true',
  maxAttempts: 1,
});
const buckets = `${process.env.S3_BUCKETS ?? ''},${process.env.QUARANTINE_BUCKET ?? ''}`
  .split(',')
  .map((name) => name.trim())
  .filter(Boolean);

await untilAnswers();
for (const Bucket of buckets) {
  const isThere = await s3.send(new HeadBucketCommand({ Bucket })).then(
    () => true,
    (error) => {
      if (error.$metadata?.httpStatusCode === 404) return false;
      throw error;
    },
  );
  if (!isThere) await s3.send(new CreateBucketCommand({ Bucket }));
  const { Status } = await s3.send(new GetBucketVersioningCommand({ Bucket }));
  if (Status !== 'Enabled') {
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  }
  console.log(`${Bucket}: ${isThere ? 'was there' : 'made'}, versioned`);
}

async function untilAnswers() {
  for (let left = 60; ; left--) {
    try {
      await s3.send(new ListBucketsCommand({}));
      return;
    } catch (error) {
      // An answer that refuses us does not change by waiting.
      if (left === 0 || error.$metadata?.httpStatusCode < 500) throw error;
      await delay(1_000);
    }
  }
}
