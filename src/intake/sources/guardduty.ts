import { z } from 'zod';
import { keyProblem } from '../object-key.js';
import type { Normalised } from '../s3-event.js';
import {
  instantOf,
  maybeText,
  nothing,
  reject,
  rejectIssues,
  text,
  unquoted,
  type EventSource,
} from './source.js';

const RESULT = 'GuardDuty Malware Protection Object Scan Result';

// As many names as explain an alarm; a hostile archive may hold thousands.
const MAX_THREATS = 50;

const ScanResult = z.object({
  time: maybeText(64),
  detail: z.object({
    scanStatus: maybeText(100),
    resourceType: z.literal('S3_OBJECT', 'must be S3_OBJECT'),
    s3ObjectDetails: z.object({
      bucketName: text(255).min(1),
      objectKey: z.string(),
      eTag: maybeText(256),
      versionId: maybeText(1024),
    }),
    scanResultDetails: z.object({
      scanResultStatus: text(100).min(1),
      threats: z
        .array(z.object({ name: z.string() }))
        .max(10_000)
        .nullish(),
    }),
  }),
});

/**
 * GuardDuty Malware Protection's results, as EventBridge carries them. A result tells that an object is there, which is
 * looked at like any upload; what GuardDuty found in it is kept as its opinion. That it found nothing proves nothing here.
 */
export const guardDuty: EventSource = {
  recognises: (message) => message['source'] === 'aws.guardduty',
  read(message): Normalised {
    const detailType = message['detail-type'];
    if (typeof detailType === 'string' && NO_RESULT.test(detailType)) return { ...nothing, ignored: 1 };
    if (detailType !== RESULT) {
      const wrong = `only "${RESULT}" is taken of GuardDuty's events; narrow the EventBridge rule to it`;
      return reject({ reason: 'unknown_event', path: 'detail-type', message: wrong, raw: message });
    }
    const parsed = ScanResult.safeParse(message);
    if (!parsed.success) return rejectIssues(parsed.error, '', message);
    const { time, detail } = parsed.data;
    const { bucketName: bucket, objectKey: key, versionId, eTag } = detail.s3ObjectDetails;
    const problem = keyProblem(key);
    if (problem !== undefined) {
      const path = 'detail.s3ObjectDetails.objectKey';
      return reject({ reason: 'invalid_key', path, message: problem, bucket, raw: message });
    }
    const { scanResultStatus: result, threats } = detail.scanResultDetails;
    const opinion = {
      engine: 'guardduty',
      result,
      threats: (threats ?? []).slice(0, MAX_THREATS).map(({ name }) => name.slice(0, 300)),
    } as const;
    return {
      ...nothing,
      events: [
        {
          kind: 'created',
          eventName: 'GuardDutyScanResult',
          sourceKind: 'guardduty',
          bucket,
          key,
          keyIsRaw: false,
          versionId,
          eTag: unquoted(eTag),
          eventTime: instantOf(time),
          opinion,
          message,
        },
      ],
    };
  },
};

/** How the protection of a bucket is, and that GuardDuty could not tag what it had looked at: nothing about an object. */
const NO_RESULT = /^GuardDuty Malware Protection (Resource Status .*|Post Scan Action Failed)$/;
