import { randomBytes, randomInt } from 'node:crypto';
import { eicar } from '../../src/tasks/scan/malware/eicar.js';

/** A file of the seeded week. `asks`: a person will be asked about it. */
export interface Upload {
  readonly key: string;
  readonly body: Buffer;
  readonly asks: boolean;
}

const letters = (length: number, alphabet: string): string =>
  Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');

/** A configuration file with keys that were made this moment and open nothing. */
const leaky = (): Buffer =>
  Buffer.from(
    [
      '[deploy]',
      'region = eu-central-1',
      `aws_access_key_id = ${['AK', 'IA'].join('')}${letters(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`,
      `aws_secret_access_key = ${randomBytes(30).toString('base64').replaceAll('=', '')}`,
      '',
    ].join('\n'),
  );

/** The test file of the malware trade; blanks behind it make each another one. */
const harmlessMalware = (): Buffer => Buffer.concat([eicar(), Buffer.from(' '.repeat(randomInt(1, 50)))]);

const NAMES = ['minutes', 'offer', 'photo-list', 'inventory', 'roadmap', 'press'] as const;

/** What comes in on one day: some that are in order, one with keys in it, and every other day malware. */
export function uploadsOf(day: number): readonly Upload[] {
  const plain = NAMES.slice(0, 3 + (day % 4)).map((name) => ({
    key: `team/day-${day + 1}/${name}.txt`,
    body: Buffer.from(`Notes of day ${day + 1}: ${name}. ${randomBytes(12).toString('hex')}\n`),
    asks: false,
  }));
  const bad = [{ key: `deploy/day-${day + 1}/settings.ini`, body: leaky(), asks: true }];
  if (day % 2 === 0)
    bad.push({ key: `inbox/day-${day + 1}/invoice.com`, body: harmlessMalware(), asks: true });
  return [...plain, ...bad];
}

/** The three questions that are left for whoever tries the demonstration. */
export const questionsForYou = (): readonly Upload[] => [
  { key: 'for-you/1-approve-in-chat.ini', body: leaky(), asks: true },
  { key: 'for-you/2-approve-by-mail.ini', body: leaky(), asks: true },
  { key: 'for-you/3-approve-on-the-web.ini', body: leaky(), asks: true },
];
