import { AppError } from '../errors.js';
import { asSentence } from './as-sentence.js';

/**
 * Why a queue could not be asked.
 *
 * - `missing`: there is no such queue (any more). `denied`: a permission. `credentials`: none, expired or unknown.
 * - `clock`: the signature's time is refused. `kms`: the key that encrypts the queue. `throttled`: too much at once.
 */
export type QueueTrouble =
  | 'missing'
  | 'denied'
  | 'credentials'
  | 'clock'
  | 'kms'
  | 'throttled'
  | 'unreachable'
  | 'unsupported'
  | 'other';

const REMEDIES: Readonly<Record<QueueTrouble, string>> = {
  missing: 'Check SQS_QUEUE_URLS: region, account and name; a queue that was deleted has to be made again.',
  denied:
    'Allow sqs:ReceiveMessage, DeleteMessage, ChangeMessageVisibility, GetQueueAttributes and GetQueueUrl on the queue (for a redrive StartMessageMoveTask on its dead-letter queue) for the role of the service.',
  credentials: "Renew the AWS credentials of the service's environment; they are read again by themselves.",
  clock: 'Set the clock of this machine (NTP): AWS refuses signatures that are minutes off.',
  kms: 'Allow kms:Decrypt on the key of the queue, and enable the key.',
  throttled: 'Nothing to do: it is tried again more slowly. If it lasts, ask AWS for a higher limit.',
  unreachable: 'Check the way to SQS: DNS, proxy, VPC endpoint, SQS_ENDPOINT.',
  unsupported: 'This server does not know the call; do it by hand.',
  other: 'Look at what SQS said; it is tried again.',
};

/** By name of the error, as SQS, its JSON protocol and the SDK spell it. */
const NAMES: readonly (readonly [RegExp, QueueTrouble])[] = [
  [/NonExistentQueue|QueueDoesNotExist/, 'missing'],
  [/^Kms/i, 'kms'],
  [/Throttl|OverLimit|SlowDown|TooManyRequests/i, 'throttled'],
  [/TimeTooSkewed|RequestExpired|SignatureDoesNotMatch|InvalidSignature/, 'clock'],
  [
    /CredentialsProvider|ExpiredToken|InvalidClientToken|UnrecognizedClient|InvalidSecurity|TokenProvider|MissingAuthentication/,
    'credentials',
  ],
  [/AccessDenied|NotAuthorized|Forbidden/, 'denied'],
  [/UnsupportedOperation|InvalidAction|UnknownOperation|NotImplemented/, 'unsupported'],
  [/TimeoutError|NetworkingError/, 'unreachable'],
];

const SOCKET = /ECONN|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPIPE|ETIMEDOUT|socket hang up/;

/** SQS refused or did not answer. */
export class QueueError extends AppError {
  readonly code = 'QUEUE_UNAVAILABLE';
  readonly status = 503;
  override readonly retryable = true;
  constructor(
    readonly trouble: QueueTrouble,
    readonly queueName: string,
    readonly said: string,
    options?: ErrorOptions,
  ) {
    super(`The queue ${queueName}: ${asSentence(said)} ${REMEDIES[trouble]}`, options);
  }

  get remedy(): string {
    return REMEDIES[this.trouble];
  }
}

interface SdkError {
  readonly name?: string;
  readonly Code?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Sorts what the SDK threw. */
export function queueTroubleOf(error: unknown): QueueTrouble {
  const { name = '', Code = '', code = '', message = '', $metadata } = error as SdkError;
  const named = NAMES.find(([pattern]) => pattern.test(name) || pattern.test(Code));
  if (named !== undefined) return named[1];
  if (SOCKET.test(`${code} ${message}`)) return 'unreachable';
  switch ($metadata?.httpStatusCode) {
    case 401:
    case 403:
      return 'denied';
    case 404:
    case 405:
    case 501:
      return 'unsupported';
    case 429:
      return 'throttled';
    default:
      return 'other';
  }
}
