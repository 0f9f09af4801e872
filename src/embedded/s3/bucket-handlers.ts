import type { Handler } from './message.js';
import { isoSeconds, OWNER_ID, xmlResponse } from './message.js';
import { child, childText, parseXml } from './parse-xml.js';
import { readLimit } from './list-parameters.js';
import { invalidArgument, malformedXml, S3Error } from './s3-error.js';
import { compareKeys } from './sorted-keys.js';

const MAX_CONFIGURATION_BYTES = 64 * 1024;

/** Throws `InvalidBucketName` for names that S3 would not take either. */
export function checkBucketName(name: string): void {
  const isGood =
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !name.includes('..') &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(name) &&
    !/^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name);
  if (!isGood) {
    throw new S3Error('InvalidBucketName', 400, 'The specified bucket is not valid.', {
      elements: { BucketName: name },
    });
  }
}

export const listBuckets: Handler = async ({ query }, { store, region }) => {
  const prefix = query.get('prefix') ?? '';
  const after = query.get('continuation-token') ?? '';
  const limit = readLimit(query, 'max-buckets', 10_000);
  if (limit < 1) throw invalidArgument('max-buckets', '0', 'max-buckets must be between 1 and 10000.');
  const isHere = (query.get('bucket-region') ?? region) === region;
  const found = [...store.catalog.buckets.values()]
    .filter(({ name }) => isHere && name.startsWith(prefix) && name > after)
    .sort((a, b) => compareKeys(a.name, b.name));
  const page = found.slice(0, limit);
  return xmlResponse('ListAllMyBucketsResult', {
    Owner: { ID: OWNER_ID },
    Buckets: {
      Bucket: page.map(({ name, createdAt }) => ({
        Name: name,
        CreationDate: isoSeconds(createdAt),
        BucketRegion: region,
      })),
    },
    ...(prefix === '' ? {} : { Prefix: prefix }),
    ContinuationToken: found.length > page.length ? page.at(-1)?.name : undefined,
  });
};

export const createBucket: Handler = async ({ bucket, body }, { store, region }) => {
  checkBucketName(bucket);
  const bytes = await body.bytes(MAX_CONFIGURATION_BYTES);
  if (bytes.length > 0) {
    const root = parseXml(bytes);
    if (root.name !== 'CreateBucketConfiguration') throw malformedXml('expected CreateBucketConfiguration.');
    const unknown = root.children.find((each) => each.name !== 'LocationConstraint');
    if (unknown !== undefined) throw malformedXml(`${unknown.name} is not known to this endpoint.`);
    const wanted = childText(root, 'LocationConstraint') ?? region;
    if (wanted !== region) {
      throw new S3Error('InvalidLocationConstraint', 400, 'The specified location constraint is not valid', {
        elements: { LocationConstraint: wanted },
      });
    }
  }
  await store.createBucket(bucket);
  return { status: 200, headers: { location: `/${bucket}` } };
};

export const headBucket: Handler = async ({ bucket }, { store, region }) => {
  store.bucket(bucket);
  return { status: 200, headers: { 'x-amz-bucket-region': region } };
};

export const deleteBucket: Handler = async ({ bucket }, { store }) => {
  await store.deleteBucket(bucket);
  return { status: 204 };
};

export const getLocation: Handler = async ({ bucket }, { store, region }) => {
  store.bucket(bucket);
  // S3's oldest region goes by an empty name here.
  return xmlResponse('LocationConstraint', region === 'us-east-1' ? '' : region);
};

export const getVersioning: Handler = async ({ bucket }, { store }) => {
  const { versioning } = store.bucket(bucket);
  return xmlResponse('VersioningConfiguration', versioning === '' ? '' : { Status: versioning });
};

export const putVersioning: Handler = async ({ bucket, body }, { store }) => {
  store.bucket(bucket);
  const root = parseXml(await body.bytes(MAX_CONFIGURATION_BYTES));
  if (root.name !== 'VersioningConfiguration') throw malformedXml('expected VersioningConfiguration.');
  const status = childText(root, 'Status');
  const mfaDelete = child(root, 'MfaDelete');
  if (mfaDelete !== undefined && mfaDelete.text !== 'Disabled')
    throw malformedXml('MfaDelete is not known to this endpoint.');
  if (status !== 'Enabled' && status !== 'Suspended') {
    throw new S3Error(
      'IllegalVersioningConfigurationException',
      400,
      'The Versioning element must be specified',
    );
  }
  await store.setVersioning(bucket, status);
  return { status: 200 };
};
