import { z } from 'zod';
import { TerminalError } from '../engine/ports.js';
import type { Task } from '../engine/model/execution.js';

const text = z.string().min(1);
const optionalText = z
  .string()
  .nullish()
  .transform((value) => value ?? undefined);

/** The input that every task of a scan has. */
export const ScanInput = z.object({ scanId: text });

/** An object as inspect_object describes it and later tasks take it. */
export const ObjectInput = z.object({
  endpointId: text,
  bucket: text,
  key: z.string(),
  versionId: optionalText,
  eTag: text,
  sizeBytes: z.int().min(0),
  lastModified: z.string(),
  detectedType: optionalText,
  storageClass: optionalText,
});
export type ObjectInput = z.infer<typeof ObjectInput>;

/** Reads a task's input. @throws TerminalError naming every wrong field: the definition is at fault, a retry is no cure. */
export function readInput<T extends z.ZodType>(schema: T, task: Task): z.infer<T> {
  const parsed = schema.safeParse(task.inputData);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new TerminalError(`${task.taskDefName}: wrong input: ${problems.join('; ')}`);
}
