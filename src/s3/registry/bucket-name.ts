const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{1,253}[a-zA-Z0-9]$/;
// Access points answer to names that look like a bucket's. Which bucket is behind one, S3 does not tell.
const ALIAS = /(-s3alias|--ol-s3|\.mrap)$/;

/** What is wrong with a bucket's name, and what to write instead; `undefined` when nothing is. */
export function bucketNameProblem(name: string): string | undefined {
  if (/^arn:/i.test(name)) return 'is an ARN; write the name of the bucket itself, as its events name it';
  if (ALIAS.test(name)) {
    return 'is the alias of an access point; write the name of the bucket behind it, as its events name it';
  }
  if (name.endsWith('--x-s3')) return 'is a directory bucket, which has neither tags nor versions nor events';
  if (!NAME.test(name))
    return 'is no name of a bucket: 3 to 255 letters, digits, dots, dashes and underscores';
  return undefined;
}
