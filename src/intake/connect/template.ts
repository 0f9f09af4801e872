import type { NotificationWish, Notifications } from './notification.js';
import type { PolicyDocument } from './policy-document.js';

/** What a template brings up; the same as `connect` would, for those who keep their infrastructure as text. */
export interface Template {
  readonly bucket: string;
  readonly region: string;
  readonly account: string;
  readonly queue: string;
  readonly dead: string;
  /** `sqs`: S3 tells the queue itself. `eventbridge`: through the bus, where another notification is in the way. */
  readonly via: 'sqs' | 'eventbridge';
  readonly filter: Pick<NotificationWish, 'prefix' | 'suffix'>;
  /** What the bucket tells others now. */
  readonly present: Notifications;
  readonly servicePolicy: PolicyDocument;
}
