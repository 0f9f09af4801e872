import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { EMBEDDED_ENDPOINT, EMBEDDED_UPLOADS } from '../s3/buckets.js';
import type { ObjectStorage } from '../s3/object-storage.js';

const Samples = z.object({
  samples: z.array(
    z.object({
      key: z.string(),
      /** The verdict with a malware engine; without one what is `clean` here is `incomplete`. */
      expected: z.string(),
      why: z.string(),
      /** The content in pieces: as text, or in base64. */
      text: z.array(z.string()).optional(),
      base64: z.array(z.string()).optional(),
    }),
  ),
});

/** One harmless file that shows a verdict. */
export interface Sample {
  readonly key: string;
  readonly expected: string;
  readonly why: string;
  readonly content: Buffer;
}

/** Puts the samples together from the pieces that `samples/samples.json` keeps. */
export function readSamples(path: string): readonly Sample[] {
  const { samples } = Samples.parse(JSON.parse(readFileSync(path, 'utf8')));
  return samples.map(({ key, expected, why, text, base64 }) => {
    const content =
      base64 === undefined ? Buffer.from((text ?? []).join('')) : Buffer.from(base64.join(''), 'base64');
    return { key, expected, why, content };
  });
}

/** Uploads the samples once in the life of a home; a start that was cut short begins again. @returns how many. */
export async function seedSamples(home: string, path: string, storage: ObjectStorage): Promise<number> {
  const done = join(home, 'samples-seeded');
  if (existsSync(done)) return 0;
  const samples = readSamples(path);
  for (const { key, content } of samples) {
    await storage.put({ endpointId: EMBEDDED_ENDPOINT, bucket: EMBEDDED_UPLOADS, key }, content);
  }
  writeFileSync(
    done,
    'The samples were uploaded. Remove this file to upload them again at the next start.\n',
  );
  return samples.length;
}
