import { expect, it } from 'vitest';
import { addressees, EVERYBODY, mailsTo, shownFor, type MailHead } from '../../web/src/mailbox.js';

const mail = (id: string, date: string, ...to: string[]): MailHead => ({
  id,
  subject: id,
  from: 'sallyport@example.com',
  to,
  date,
});
const MAILS = [
  mail('old', '2026-11-23T08:00:00Z', 'alice@example.com'),
  mail('new', '2026-11-24T08:00:00Z', 'Alice@Example.com', 'bob@example.com'),
  mail('other', '2026-11-25T08:00:00Z', 'bob@example.com'),
];

it('caught mails are those of one person, newest first, and one’s own unless another is chosen', () => {
  const all = addressees(MAILS);
  expect(all).toEqual([
    { address: 'alice@example.com', mails: 2 },
    { address: 'bob@example.com', mails: 2 },
  ]);
  const own = shownFor('', all, 'ALICE@example.com');
  expect(mailsTo(MAILS, own).map(({ id }) => id)).toEqual(['new', 'old']);
  expect(mailsTo(MAILS, shownFor('bob@example.com', all, 'alice@example.com')).map(({ id }) => id)).toEqual([
    'other',
    'new',
  ]);
  const everybody = shownFor(EVERYBODY, all, 'alice@example.com');
  expect(mailsTo(MAILS, everybody).map(({ id }) => id)).toEqual(['other', 'new', 'old']);
  // Whoever gets no mail sees all that they may see.
  expect(shownFor('', all, 'root@example.com')).toBeUndefined();
  expect(shownFor('', all, undefined)).toBeUndefined();
});
