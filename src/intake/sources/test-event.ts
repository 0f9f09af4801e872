import { nothing, type EventSource } from './source.js';

/** What S3 (and versitygw) send when a notification is set up: no Records, only an answer is wanted. */
export const testEvent: EventSource = {
  recognises: (message) => message['Event'] === 's3:TestEvent',
  read: () => ({ ...nothing, isTest: true }),
};
