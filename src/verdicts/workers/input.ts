import type { z } from 'zod';
import { TerminalError } from '../../engine/ports.js';
import { NotFound } from '../../errors.js';
import type { Ledger, ScanContext } from '../ledger.js';

/** `a.b: what is wrong; …`, for the reason of a task that can never succeed. */
export const describeIssues = (error: z.ZodError): string =>
  error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`)
    .join('; ');

/** The scan, or a TerminalError: a retry does not make an unknown id known. */
export async function knownScan(ledger: Ledger, scanId: string): Promise<ScanContext> {
  try {
    return await ledger.scan(scanId);
  } catch (error) {
    if (error instanceof NotFound) throw new TerminalError(error.message, { cause: error });
    throw error;
  }
}
