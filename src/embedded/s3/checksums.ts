import { createHash } from 'node:crypto';
import { combineCrc, CRC32, CRC32C, CRC64NVME } from './crc.js';
import type { Crc } from './crc.js';
import { invalidRequest, notImplemented } from './s3-error.js';

export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256';
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE';

/** A checksum as S3 writes it: base64, with `-N` when it is made of N parts' checksums. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
  readonly value: string;
}

const CRCS: Readonly<Partial<Record<ChecksumAlgorithm, Crc>>> = { CRC32, CRC32C, CRC64NVME };
const BYTES: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
};
const ALGORITHMS: readonly ChecksumAlgorithm[] = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'];

/** The algorithm of that name. S3's newer ones answer 501, anything else 400. */
export function parseAlgorithm(name: string): ChecksumAlgorithm {
  const upper = name.toUpperCase();
  const found = ALGORITHMS.find((each) => each === upper);
  if (found !== undefined) return found;
  if (/^(MD5|SHA512|XXHASH(3|64|128))$/.test(upper)) throw notImplemented(`Checksum algorithm ${upper}`);
  throw invalidRequest(
    'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
  );
}

/** `x-amz-checksum-crc32` → CRC32; `undefined` for headers that name no value of a checksum. */
export function algorithmOfHeader(header: string): ChecksumAlgorithm | undefined {
  const name = /^x-amz-checksum-(.+)$/.exec(header)?.[1];
  if (name === undefined || name === 'algorithm' || name === 'type' || name === 'mode') return undefined;
  return parseAlgorithm(name);
}

export const checksumHeader = (algorithm: ChecksumAlgorithm): string =>
  `x-amz-checksum-${algorithm.toLowerCase()}`;

/** The XML element of a checksum, as in `ChecksumCRC32`. */
export const checksumElement = (algorithm: ChecksumAlgorithm): string => `Checksum${algorithm}`;

/** Whether the text is base64 of as many bytes as the algorithm gives. */
export const isChecksumValue = (algorithm: ChecksumAlgorithm, value: string): boolean => {
  const bytes = Buffer.from(value, 'base64');
  return bytes.length === BYTES[algorithm] && bytes.toString('base64') === value;
};

/** A running checksum over a body. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** To be called once. */
  digest(): Buffer;
}

export function startChecksum(algorithm: ChecksumAlgorithm): Hasher {
  const crc = CRCS[algorithm];
  if (crc === undefined) {
    const hash = createHash(algorithm.toLowerCase());
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
  }
  const run = crc.start();
  return { update: (bytes) => run.update(bytes), digest: () => crcBytes(crc, run.value()) };
}

const crcBytes = (crc: Crc, value: bigint): Buffer =>
  Buffer.from(value.toString(16).padStart(crc.bits / 4, '0'), 'hex');

/** The type that S3 takes when none is asked for. */
export const defaultType = (algorithm: ChecksumAlgorithm): ChecksumType =>
  algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE';

/** SHA checksums cannot be combined to one of the whole; CRC64NVME is only ever one of the whole. */
export const allowsType = (algorithm: ChecksumAlgorithm, type: ChecksumType): boolean =>
  type === 'COMPOSITE' ? algorithm !== 'CRC64NVME' : CRCS[algorithm] !== undefined;

/** The checksum of an object from those of its parts, without reading it again. */
export function combineParts(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: readonly { readonly value: string; readonly size: number }[],
): Checksum {
  const crc = CRCS[algorithm];
  if (type === 'FULL_OBJECT' && crc !== undefined) {
    const values = parts.map((part) => BigInt(`0x${Buffer.from(part.value, 'base64').toString('hex')}`));
    const whole = values.reduce((sum, value, i) => combineCrc(crc, sum, value, parts[i]?.size ?? 0), 0n);
    return { algorithm, type, value: crcBytes(crc, whole).toString('base64') };
  }
  const hasher = startChecksum(algorithm);
  for (const part of parts) hasher.update(Buffer.from(part.value, 'base64'));
  return { algorithm, type: 'COMPOSITE', value: `${hasher.digest().toString('base64')}-${parts.length}` };
}
