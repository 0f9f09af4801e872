import { createHash } from 'node:crypto';
import type { OpenUpload } from './catalog.js';
import { checksumElement, checksumHeader, combineParts } from './checksums.js';
import type { Checksum } from './checksums.js';
import { matchesEtag } from './conditions.js';
import { MAX_OBJECT_IN_PARTS_BYTES } from './message.js';
import type { ObjectVersion, UploadPart } from './model.js';
import { childText, parseXml } from './parse-xml.js';
import type { XmlElement } from './parse-xml.js';
import type { RequestHeaders } from './request-headers.js';
import {
  badDigest,
  entityTooLarge,
  invalidArgument,
  invalidRequest,
  malformedXml,
  S3Error,
} from './s3-error.js';
import type { NewVersion } from './store.js';

const MIN_PART_BYTES = 5 * 1024 * 1024;
const MAX_PARTS = 10_000;

/** A part as the client lists it when it completes an upload. */
export interface ListedPart {
  readonly number: number;
  readonly etag: string;
  readonly element: XmlElement;
}

/** Reads the body of CompleteMultipartUpload. Throws `InvalidPartOrder` unless the numbers ascend. */
export function readCompletion(bytes: Uint8Array): readonly ListedPart[] {
  const root = parseXml(bytes);
  const isGood =
    root.name === 'CompleteMultipartUpload' && root.children.every(({ name }) => name === 'Part');
  if (!isGood || root.children.length < 1 || root.children.length > MAX_PARTS) {
    throw malformedXml('expected CompleteMultipartUpload with 1 to 10000 parts.');
  }
  const parts = root.children.map((element) => {
    const number = childText(element, 'PartNumber')?.trim() ?? '';
    const etag = childText(element, 'ETag')?.trim();
    if (!/^\d{1,5}$/.test(number) || etag === undefined)
      throw malformedXml('expected Part with PartNumber and ETag.');
    return { number: Number(number), etag, element };
  });
  if (parts.some((part, i) => i > 0 && part.number <= (parts[i - 1]?.number ?? 0))) {
    throw new S3Error(
      'InvalidPartOrder',
      400,
      'The list of parts was not in ascending order. Parts must be ordered by part number.',
    );
  }
  return parts;
}

/** The object that the listed parts make, after all that can be checked about them. */
export function completedVersion(
  open: OpenUpload,
  listed: readonly ListedPart[],
  headers: RequestHeaders,
): NewVersion {
  const { upload } = open;
  const parts = listed.map((each) => checkPart(each, open.parts.get(each.number)));
  const small = parts.slice(0, -1).find((part) => part.size < MIN_PART_BYTES);
  if (small !== undefined) {
    throw new S3Error(
      'EntityTooSmall',
      400,
      'Your proposed upload is smaller than the minimum allowed size',
      {
        elements: {
          ProposedSize: String(small.size),
          MinSizeAllowed: String(MIN_PART_BYTES),
          PartNumber: String(small.number),
          ETag: small.etag,
        },
      },
    );
  }
  const partSizes = parts.map((part) => part.size);
  const size = partSizes.reduce((sum, each) => sum + each, 0);
  if (size > MAX_OBJECT_IN_PARTS_BYTES) throw entityTooLarge(MAX_OBJECT_IN_PARTS_BYTES);
  const announced = headers.get('x-amz-mp-object-size');
  if (announced !== undefined && announced !== String(size)) {
    throw invalidRequest(
      `The provided 'x-amz-mp-object-size' header value ${announced} does not match what was computed: ${size}`,
    );
  }
  const checksum = wholeChecksum(open, parts, headers);
  return {
    size,
    etag: completedEtag(parts),
    slices: parts.flatMap((part) => part.slices),
    headers: upload.headers,
    metadata: upload.metadata,
    tags: upload.tags,
    partSizes,
    uploadId: upload.id,
    ...(checksum && { checksum }),
  };
}

/** The version that this upload became, when the client asks again because the first answer was lost. */
export const findCompleted = (
  versions: readonly ObjectVersion[],
  uploadId: string,
  listed: readonly ListedPart[],
): ObjectVersion | undefined =>
  versions.find((version) => version.uploadId === uploadId && version.partSizes?.length === listed.length);

function checkPart(listed: ListedPart, part: UploadPart | undefined): UploadPart {
  const { number, etag, element } = listed;
  const { checksum } = part ?? {};
  const given = checksum && childText(element, checksumElement(checksum.algorithm));
  const isSame = part !== undefined && matchesEtag(etag, part.etag) && etag !== '*';
  if (!isSame || (given !== undefined && given !== checksum?.value)) {
    const message =
      "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.";
    throw new S3Error('InvalidPart', 400, message, { elements: { PartNumber: String(number), ETag: etag } });
  }
  return part;
}

/** AWS's form: the MD5 of the parts' MD5s, and their number. */
function completedEtag(parts: readonly UploadPart[]): string {
  const md5 = createHash('md5');
  for (const part of parts) md5.update(part.etag, 'hex');
  return `${md5.digest('hex')}-${parts.length}`;
}

function wholeChecksum(
  { upload }: OpenUpload,
  parts: readonly UploadPart[],
  headers: RequestHeaders,
): Checksum | undefined {
  const type = headers.get('x-amz-checksum-type');
  if (type !== undefined && type !== upload.checksum?.type) {
    throw invalidArgument(
      'x-amz-checksum-type',
      type,
      'The checksum type is not the one that the upload was created with.',
    );
  }
  if (upload.checksum === undefined) return undefined;
  const { algorithm } = upload.checksum;
  const sums = parts.map((part) => ({ value: part.checksum?.value ?? '', size: part.size }));
  const checksum = combineParts(algorithm, upload.checksum.type, sums);
  const given = headers.get(checksumHeader(algorithm));
  // For a checksum of checksums clients give it with or without the number of parts.
  if (given !== undefined && given !== checksum.value && given !== checksum.value.replace(/-\d+$/, '')) {
    throw badDigest(algorithm);
  }
  return checksum;
}
