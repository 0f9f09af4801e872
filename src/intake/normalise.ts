import { InvalidInput } from '../errors.js';
import { parseJsonBody } from '../http/json-body.js';
import type { Normalised } from './s3-event.js';
import { eventBridge } from './sources/event-bridge.js';
import { guardDuty } from './sources/guardduty.js';
import { s3Records } from './sources/s3-records.js';
import { scanJob } from './sources/scan-job.js';
import { combined, MAX_EVENTS, reject, type EventSource } from './sources/source.js';
import { testEvent } from './sources/test-event.js';

/** Every shape that is understood; the first that recognises a message reads it. */
const SOURCES: readonly EventSource[] = [testEvent, s3Records, guardDuty, eventBridge, scanJob];

// S3 → SNS, or S3 → EventBridge → SNS; nobody wraps twice.
const MAX_WRAPPINGS = 2;

/**
 * Takes a message apart, whichever source it came from. Pure, and never throws: what cannot be used comes back as
 * rejects that name the place.
 */
export function normalise(body: unknown): Normalised {
  return Array.isArray(body) && body.length > 0 ? readAll(body) : read(body, 0);
}

/** A batch, as EventBridge Pipes sends one: each message judged by itself. */
function readAll(batch: readonly unknown[]): Normalised {
  if (batch.length > MAX_EVENTS) {
    const message = `must hold at most ${MAX_EVENTS} messages, not ${batch.length}`;
    return reject({ reason: 'invalid_event', path: 'body', message, raw: batch });
  }
  const parts = batch.map((one, index): Normalised => {
    const { rejects, ...rest } = read(one, 0);
    return { ...rest, rejects: rejects.map((wrong) => ({ ...wrong, path: `[${index}].${wrong.path}` })) };
  });
  return combined(parts);
}

function read(body: unknown, wrappings: number): Normalised {
  if (!isMessage(body)) {
    const message = `must be a JSON object, not ${kindOf(body)}`;
    return reject({ reason: 'unknown_shape', path: 'body', message, raw: body });
  }
  const source = SOURCES.find((candidate) => candidate.recognises(body));
  if (source !== undefined) return source.read(body);
  if (typeof body['Type'] === 'string' && 'TopicArn' in body) return unwrap(body, wrappings);
  const wrong =
    'is none of the known shapes: Records (S3, MinIO, versitygw), detail-type (EventBridge, GuardDuty), Type (SNS), objects';
  return reject({ reason: 'unknown_shape', path: 'body', message: wrong, raw: body });
}

const isMessage = (body: unknown): body is Readonly<Record<string, unknown>> =>
  body !== null && typeof body === 'object' && !Array.isArray(body);

function kindOf(value: unknown): string {
  if (value === undefined) return 'empty';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return `a ${typeof value}`;
}

/** An SNS envelope; its signature is checked at the SNS endpoint, here the route's token vouches for it. */
function unwrap(message: Readonly<Record<string, unknown>>, wrappings: number): Normalised {
  if (message['Type'] !== 'Notification') {
    // Following its SubscribeURL without a checked signature would let a stranger send us anywhere.
    const wrong = 'only Notification is taken here; confirm the subscription in SNS yourself';
    return reject({ reason: 'sns_not_notification', path: 'Type', message: wrong, raw: message });
  }
  if (wrappings >= MAX_WRAPPINGS) {
    return reject({ reason: 'unknown_shape', path: 'Message', message: 'wrapped too often', raw: message });
  }
  const inner = message['Message'];
  try {
    if (typeof inner === 'string') return read(parseJsonBody(inner), wrappings + 1);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    const wrong = `must be text that holds JSON: ${error.message}`;
    return reject({ reason: 'unknown_shape', path: 'Message', message: wrong, raw: message });
  }
  const wrong = 'must be text that holds JSON';
  return reject({ reason: 'unknown_shape', path: 'Message', message: wrong, raw: message });
}
