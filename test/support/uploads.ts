import { fileURLToPath } from 'node:url';
import { readSamples } from '../../src/embedded/samples.js';

/** Bytes to upload and what must be said of them where no malware engine is found. */
export interface Upload {
  readonly key: string;
  readonly body: Buffer;
  readonly verdict: 'incomplete' | 'infected' | 'secrets' | 'encrypted';
}

const samples = new Map(
  readSamples(fileURLToPath(new URL('../../samples/samples.json', import.meta.url))).map((sample) => [
    sample.key,
    sample.content,
  ]),
);

const sample = (key: string): Buffer => {
  const content = samples.get(key);
  if (content === undefined) throw new Error(`samples.json has no ${key}`);
  return content;
};

const KINDS = [
  ['incomplete', () => Buffer.from('Nothing to see here.\n')],
  ['infected', () => sample('invoices/invoice-2026-014.zip')],
  ['secrets', () => sample('deploy/settings.ini')],
  ['encrypted', () => sample('hr/salaries.zip')],
] as const;

/** The upload of this number: clean text mostly, every fourth something to find; names with what trips others up. */
export function uploadNumber(index: number): Upload {
  const [verdict, body] = KINDS[index % 4 === 3 ? 1 + (Math.floor(index / 4) % 3) : 0] ?? KINDS[0];
  const odd =
    ['plain', 'with space', 'plus+percent%25', 'ünï☃', 'q?a=b&c#d', '..', 'trailing/'][index % 7] ?? '';
  return { key: `load/${index}/${odd}`, body: Buffer.concat([body()]), verdict };
}
