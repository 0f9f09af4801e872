import { CommandError } from './command-error.js';

/** What `s3://bucket/key` names; without a key, a whole bucket. */
export interface S3Url {
  readonly bucket: string;
  /** Verbatim: nothing in it is decoded, and nothing ends it. */
  readonly key: string | undefined;
}

/**
 * Reads `s3://bucket/key` as S3's own tools do: the bucket ends at the first slash, and all that follows is the key.
 *
 * No URL parser may see it: `?`, `#`, `%2e`, `..` and a second slash are characters of the key.
 *
 * @throws CommandError
 */
export function parseS3Url(text: string): S3Url {
  const [, bucket, key] = /^s3:\/\/([^/]*)(?:\/([^]*))?$/i.exec(text) ?? [];
  if (bucket === undefined || !/^[\w.-]{1,255}$/.test(bucket)) {
    throw new CommandError(
      `"${text}" names no object or bucket. Write it as s3://bucket/key or s3://bucket.`,
    );
  }
  return { bucket, key: key === '' ? undefined : key };
}

/** An object. @throws CommandError also where only a bucket is named. */
export function parseObjectUrl(text: string): { readonly bucket: string; readonly key: string } {
  const { bucket, key } = parseS3Url(text);
  if (key === undefined) {
    throw new CommandError(`"${text}" names a bucket and no object. Write it as s3://bucket/key.`);
  }
  return { bucket, key };
}

/** A bucket, as `s3://bucket` or by its name alone. @throws CommandError also where a key is named. */
export function parseBucket(text: string): string {
  if (!/^s3:\/\//i.test(text) && !/^[\w./-]{1,255}$/.test(text)) {
    throw new CommandError(
      `"${text}" is no name of a bucket: 3 to 255 letters, digits, dots, dashes and underscores.`,
    );
  }
  const { bucket, key } = parseS3Url(/^s3:\/\//i.test(text) ? text : `s3://${text}`);
  if (key !== undefined) throw new CommandError(`"${text}" names an object. Name the bucket: s3://${bucket}`);
  return bucket;
}

/** The way back. */
export const s3Url = (bucket: string, key: string): string => `s3://${bucket}/${key}`;
