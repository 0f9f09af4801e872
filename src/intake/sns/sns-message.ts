import { z } from 'zod';
import { text } from '../sources/source.js';

const common = {
  MessageId: text(200).min(1),
  TopicArn: text(400).min(1),
  // SNS carries up to 256 KB; escaped in the envelope it may be twice as long.
  Message: z.string().max(1_048_576),
  Timestamp: text(64).min(1),
  SignatureVersion: z.enum(['1', '2'], 'must be 1 or 2'),
  Signature: text(2_000).min(1),
  SigningCertURL: text(500).min(1),
};

const Notification = z.object({
  ...common,
  Type: z.literal('Notification'),
  Subject: text(1_000).nullish(),
});

const Confirmation = z.object({
  ...common,
  Type: z.enum(['SubscriptionConfirmation', 'UnsubscribeConfirmation']),
  Token: text(2_000).min(1),
  SubscribeURL: text(4_000).min(1),
});

/** What SNS posts, with everything that its signature needs. Unknown fields are ignored: they are not signed. */
export const SnsMessage = z.discriminatedUnion('Type', [Notification, Confirmation]);
export type SnsMessage = z.infer<typeof SnsMessage>;

/** The text that SNS signs: `Name\nvalue\n` for each field of the type, in the order of their names. */
export function signedText(message: SnsMessage): string {
  const { Message, MessageId, Timestamp, TopicArn, Type } = message;
  const fields: readonly (readonly [string, string | null | undefined])[] =
    message.Type === 'Notification'
      ? [
          ['Message', Message],
          ['MessageId', MessageId],
          ['Subject', message.Subject],
          ['Timestamp', Timestamp],
          ['TopicArn', TopicArn],
          ['Type', Type],
        ]
      : [
          ['Message', Message],
          ['MessageId', MessageId],
          ['SubscribeURL', message.SubscribeURL],
          ['Timestamp', Timestamp],
          ['Token', message.Token],
          ['TopicArn', TopicArn],
          ['Type', Type],
        ];
  // A notification without a subject has no such lines; one whose subject is empty has.
  return fields
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name}\n${value}\n`)
    .join('');
}
