import { TerminalError } from '../../engine/ports.js';
import { NotFound } from '../../errors.js';
import type { Ledger, ScanContext } from '../ledger.js';

/** The scan, or a TerminalError: a retry does not make an unknown id known. */
export const knownScan = (ledger: Ledger, scanId: string): Promise<ScanContext> =>
  onKnownScan(() => ledger.scan(scanId));

/** The same for whatever else is asked of the ledger. */
export async function onKnownScan<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof NotFound) throw new TerminalError(error.message, { cause: error });
    throw error;
  }
}
