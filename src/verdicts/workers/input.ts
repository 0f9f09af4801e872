import type { z } from 'zod';

/** `a.b: what is wrong; …`, for the reason of a task that can never succeed. */
export const describeIssues = (error: z.ZodError): string =>
  error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`)
    .join('; ');
