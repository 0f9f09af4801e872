import { child, childText, parseXml } from './parse-xml.js';
import type { Tags } from './model.js';
import { malformedXml, S3Error } from './s3-error.js';
import { parseQuery } from './uri.js';
import type { XmlContent } from './write-xml.js';

const MAX_TAGS = 10;
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** Tags as the x-amz-tagging header carries them: a query string. */
export function parseTagHeader(value: string | undefined): Tags {
  if (value === undefined) return [];
  let pairs: [string, string][];
  try {
    pairs = [...parseQuery(value)];
  } catch (cause) {
    throw new S3Error(
      'InvalidArgument',
      400,
      'The header x-amz-tagging shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.',
      { cause },
    );
  }
  return checkTags(pairs);
}

/** Tags as PutObjectTagging carries them. */
export function parseTagXml(bytes: Uint8Array): Tags {
  const root = parseXml(bytes);
  const set = child(root, 'TagSet');
  if (root.name !== 'Tagging' || set === undefined) throw malformedXml('expected Tagging with a TagSet.');
  return checkTags(
    set.children.map((tag) => {
      const key = childText(tag, 'Key');
      const value = childText(tag, 'Value');
      if (tag.name !== 'Tag' || key === undefined || value === undefined)
        throw malformedXml('expected Tag with Key and Value.');
      return [key, value];
    }),
  );
}

export const tagSet = (tags: Tags): XmlContent => ({
  TagSet: { Tag: tags.map(([Key, Value]) => ({ Key, Value })) },
});

function checkTags(tags: [string, string][]): Tags {
  if (tags.length > MAX_TAGS)
    throw new S3Error('BadRequest', 400, `Object tags cannot be greater than ${MAX_TAGS}`);
  for (const [key, value] of tags) {
    if (key.length < 1 || key.length > 128 || !ALLOWED.test(key))
      throw invalidTag('The TagKey you have provided is invalid', key);
    if (value.length > 256 || !ALLOWED.test(value))
      throw invalidTag('The TagValue you have provided is invalid', key);
    if (/^aws:/i.test(key)) throw invalidTag('System tags cannot be added/updated by requester', key);
  }
  if (new Set(tags.map(([key]) => key)).size < tags.length) {
    throw invalidTag('Cannot provide multiple Tags with the same key', tags[0]?.[0] ?? '');
  }
  return tags;
}

const invalidTag = (message: string, key: string): S3Error =>
  new S3Error('InvalidTag', 400, message, { elements: { TagKey: key } });
