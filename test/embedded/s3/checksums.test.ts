import { array, assert, property, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combineParts, startChecksum } from '../../../src/embedded/s3/checksums.js';
import type { ChecksumAlgorithm } from '../../../src/embedded/s3/checksums.js';

const digest = (algorithm: ChecksumAlgorithm, ...pieces: Uint8Array[]): Buffer => {
  const hasher = startChecksum(algorithm);
  for (const piece of pieces) hasher.update(piece);
  return hasher.digest();
};

describe('checksums', () => {
  it.each([
    ['CRC32', 'cbf43926'],
    ['CRC32C', 'e3069283'],
    ['CRC64NVME', 'ae8b14860a799888'],
    ['SHA1', 'f7c3bc1d808e04732adf679965ccc34ca7ae3441'],
  ] as const)('%s of the check string is the published value', (algorithm, expected) => {
    expect(digest(algorithm, Buffer.from('123456789')).toString('hex')).toBe(expected);
  });

  it.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)(
    '%s does not depend on how the body is cut',
    (algorithm) => {
      assert(
        property(array(uint8Array({ maxLength: 40 }), { maxLength: 8 }), (pieces) => {
          const bytewise = Array.from(Buffer.concat(pieces), (byte) => Uint8Array.of(byte));
          expect(digest(algorithm, ...pieces)).toEqual(digest(algorithm, ...bytewise));
        }),
      );
    },
  );

  it.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)(
    '%s of a whole follows from those of its parts',
    (algorithm) => {
      assert(
        property(array(uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 6 }), (pieces) => {
          const parts = pieces.map((piece) => ({
            value: digest(algorithm, piece).toString('base64'),
            size: piece.length,
          }));
          expect(combineParts(algorithm, 'FULL_OBJECT', parts).value).toBe(
            digest(algorithm, Buffer.concat(pieces)).toString('base64'),
          );
        }),
      );
    },
  );
});
