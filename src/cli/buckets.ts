import type { Cli } from './cli.js';
import { CommandError } from './command-error.js';
import { parseBucket } from './s3-url.js';
import { query } from './values.js';

/** A bucket by its place, as every answer about one has it. */
export interface PlacedBucket {
  readonly endpointId: string;
  readonly bucket: string;
}

interface Page<Bucket> {
  readonly items: readonly Bucket[];
  readonly nextCursor?: string;
}

// More than the service takes anyway.
const MAX_PAGES = 100;

export const bucketPath = ({ endpointId, bucket }: PlacedBucket): string =>
  `/api/v1/buckets/${encodeURIComponent(endpointId)}/${encodeURIComponent(bucket)}`;

/** The bucket that a name or `s3://name` means. @throws CommandError when there is none, or several and no endpoint is named. */
export async function findBucket<Bucket extends PlacedBucket>(
  cli: Cli,
  text: string,
  endpointId: string | undefined,
): Promise<Bucket> {
  const name = parseBucket(text);
  if (endpointId !== undefined) {
    return await cli.client.call<Bucket>('GET', bucketPath({ endpointId, bucket: name }));
  }
  const found = await bucketsNamed<Bucket>(cli, name);
  const [bucket, ...others] = found;
  if (bucket === undefined)
    throw new CommandError(`No bucket ${name} is registered. See: sallyport bucket list`);
  if (others.length === 0) return bucket;
  const ids = found.map((one) => one.endpointId).join(', ');
  throw new CommandError(
    `Several endpoints have a bucket ${name}. Say which one is meant with --endpoint: ${ids}`,
  );
}

/** Those of that name, on whatever endpoint. */
export async function bucketsNamed<Bucket extends PlacedBucket>(cli: Cli, name: string): Promise<Bucket[]> {
  const found: Bucket[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const path = query('/api/v1/buckets', { limit: 500, cursor });
    const answer = await cli.client.call<Page<Bucket>>('GET', path);
    found.push(...answer.items.filter(({ bucket }) => bucket === name));
    cursor = answer.nextCursor;
    if (cursor === undefined) break;
  }
  return found;
}
