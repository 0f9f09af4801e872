import { expect, it } from 'vitest';
import { QueueError } from '../../src/s3/queue-error.js';

it.each(['The specified queue does not exist', 'The specified queue does not exist.'])(
  'what SQS said (%s) is a sentence before the remedy',
  (said) => {
    const { message, remedy } = new QueueError('missing', 'q', said);
    expect(message).toBe(`The queue q: The specified queue does not exist. ${remedy}`);
  },
);
