import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalise } from '../../src/intake/normalise.js';
import { keyProblem } from '../../src/intake/object-key.js';
import type { RejectedEvent, S3Event } from '../../src/intake/s3-event.js';

/** One shape of message, and what is to be understood of it. A new source adds its rows to the file. */
interface Row {
  readonly name: string;
  readonly message: unknown;
  readonly events: readonly S3Event[];
  readonly rejects: readonly Pick<RejectedEvent, 'reason' | 'path'>[];
  readonly ignored: number;
  readonly isTest: boolean;
}

const rows = JSON.parse(
  readFileSync(new URL('fixtures/shapes.json', import.meta.url), 'utf8'),
) as readonly Row[];

/** Without the message, which is judged by what it says again; undefined is the same as absent. */
const told = (event: S3Event): unknown => JSON.parse(JSON.stringify({ ...event, message: undefined }));

describe('a message of the shape', () => {
  it.each(rows.map((row) => [row.name, row] as const))('%s', (_, row) => {
    const read = normalise(row.message);
    expect(read.events.map(told)).toEqual(row.events);
    expect(read.rejects.map(({ reason, path }) => ({ reason, path }))).toEqual(row.rejects);
    expect({ ignored: read.ignored, isTest: read.isTest }).toEqual({
      ignored: row.ignored,
      isTest: row.isTest,
    });
  });

  it.each(rows.map((row) => [row.name, row] as const))('%s says each event again by itself', (_, row) => {
    for (const event of normalise(row.message).events) {
      const again = normalise(event.message);
      expect(again.rejects).toEqual([]);
      expect(again.events.map(told)).toEqual([told(event)]);
    }
  });

  it.each(rows.map((row) => [row.name, row] as const))('%s keeps just what is wrong', (_, row) => {
    for (const wrong of normalise(row.message).rejects) {
      const again = normalise(wrong.raw);
      expect(again.events).toEqual([]);
      expect(again.rejects.map(({ reason }) => reason)).toEqual([wrong.reason]);
    }
  });
});

/** The same upload as each source tells it; `encoded` is how Amazon S3 and MinIO write the key. */
const tellings = (key: string, encoded: string): readonly unknown[] => {
  const record = (eventSource: string, userIdentity: object, written: string) => ({
    Records: [
      {
        eventVersion: '2.2',
        eventSource,
        eventName: 's3:ObjectCreated:Put',
        userIdentity,
        s3: { bucket: { name: 'b' }, object: { key: written } },
      },
    ],
  });
  const bucket = { name: 'b' };
  const s3ObjectDetails = { bucketName: 'b', objectKey: key };
  const scanResultDetails = { scanResultStatus: 'FAILED' };
  return [
    record('aws:s3', { principalId: 'AIDA' }, encoded),
    record('minio:s3', { principalId: 'minio' }, encoded.replaceAll('/', '%2F')),
    record('aws:s3', { PrincipalId: 'root' }, key),
    { source: 'aws.s3', 'detail-type': 'Object Created', detail: { bucket, object: { key } } },
    {
      source: 'aws.guardduty',
      'detail-type': 'GuardDuty Malware Protection Object Scan Result',
      detail: { resourceType: 'S3_OBJECT', s3ObjectDetails, scanResultDetails },
    },
    { objects: [{ bucket: 'b', key }] },
  ];
};

describe('a key', () => {
  const keys = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 300 })
    .filter((key) => keyProblem(key) === undefined);

  it('is understood from every source as the bytes that it is, with and without SNS around it', () => {
    fc.assert(
      fc.property(keys, (key) => {
        const encoded = encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/');
        for (const message of tellings(key, encoded)) {
          const wrapped = { Type: 'Notification', TopicArn: 'arn', Message: JSON.stringify(message) };
          for (const body of [message, wrapped]) {
            const [event] = normalise(body).events;
            expect(event?.key).toBe(key);
            expect(event?.keyIsRaw).toBe(false);
          }
        }
      }),
    );
  });

  it('is never made another by its Unicode form', () => {
    const composed = 'caf\u00e9';
    const decomposed = composed.normalize('NFD');
    for (const key of [composed, decomposed]) {
      for (const message of tellings(key, encodeURIComponent(key))) {
        expect(normalise(message).events[0]?.key).toBe(key);
      }
    }
  });

  it('that cannot name an object is a reject of every source', () => {
    for (const key of ['', 'x'.repeat(1025), 'a\u0000b']) {
      for (const message of tellings(key, encodeURIComponent(key))) {
        const read = normalise(message);
        expect(read.events).toEqual([]);
        expect(read.rejects).toMatchObject([{ reason: 'invalid_key', bucket: 'b' }]);
      }
    }
  });
});
