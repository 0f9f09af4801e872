import { z } from 'zod';
import type { JsonObject } from '../engine/model/json.js';
import type { Upload } from './match.js';

/** What the rules were asked about, as it waits in the backlog until the object has been asked. */
const Stored = z.object({
  endpointId: z.string(),
  bucket: z.string(),
  key: z.string(),
  versionId: z.string().optional(),
  eTag: z.string().optional(),
  sizeBytes: z.number().optional(),
  kind: z.string(),
  source: z.string().optional(),
  bucketPriority: z.number().optional(),
});
export type UndecidedUpload = z.infer<typeof Stored>;

export const asUndecided = (upload: Upload): JsonObject =>
  Object.fromEntries(
    Object.entries(upload).filter((entry): entry is [string, string | number] => {
      const [name, value] = entry;
      return name in Stored.shape && value !== undefined;
    }),
  );

export const readUndecided = (stored: unknown): UndecidedUpload => Stored.parse(stored);
