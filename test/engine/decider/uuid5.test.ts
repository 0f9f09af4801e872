import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha1 } from '../../../src/engine/decider/sha1.js';
import { taskIdOf, uuid5 } from '../../../src/engine/decider/uuid5.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('sha1', () => {
  it.each([
    ['abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq', '84983e441c3bd26ebaae4aa1f95129e5e54670f1'],
    ['a'.repeat(1_000_000), '34aa973cd4c4daa4f61eeb2bdbad27316534016f'],
    [
      '0123456701234567012345670123456701234567012345670123456701234567'.repeat(10),
      'dea356a2cddd90c7a7ecedc5ebb563934f460452',
    ],
    ['', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'],
  ])('gives the digest of RFC 3174 (%#)', (text, digest) => {
    expect(hex(sha1(bytes(text)))).toBe(digest);
  });

  it('agrees with Node for every length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (message) => {
        expect(hex(sha1(message))).toBe(createHash('sha1').update(message).digest('hex'));
      }),
    );
  });
});

describe('uuid5', () => {
  it.each([
    // RFC 9562, appendix A.4; and the DNS name of RFC 4122's namespaces as every library gives it.
    ['6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com', '2ed6657d-e927-568b-95e1-2665a8aea6a2'],
    ['6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'python.org', '886313e1-3b8a-5372-9b90-0c9aee199e5d'],
  ])('names %s/%s as the RFC says', (namespace, name, id) => {
    expect(uuid5(namespace, name)).toBe(id);
  });

  it('takes a namespace that is no UUID', () => {
    expect(uuid5('order-17', 'a')).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(uuid5('order-17', 'a')).not.toBe(uuid5('order-18', 'a'));
  });

  it('gives every attempt, step, iteration and epoch its own task id', () => {
    const workflowId = '3f2b1c00-0000-4000-8000-000000000001';
    const ids = [
      taskIdOf({ workflowId, runEpoch: 0 }, 'a', 0, 0),
      taskIdOf({ workflowId, runEpoch: 0 }, 'a', 0, 1),
      taskIdOf({ workflowId, runEpoch: 0 }, 'a', 1, 0),
      taskIdOf({ workflowId, runEpoch: 1 }, 'a', 0, 0),
      taskIdOf({ workflowId, runEpoch: 0 }, 'b', 0, 0),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    expect(taskIdOf({ workflowId, runEpoch: 0 }, 'a', 0, 0)).toBe(ids[0]);
  });
});
