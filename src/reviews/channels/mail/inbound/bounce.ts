/** What a report on delivery says of one address (RFC 3464). */
export interface Bounce {
  /** `failed`: it was not and will not be delivered; `delayed` and the others are news, no trouble. */
  readonly action: string;
  /** Of RFC 3463, as 5.1.1. */
  readonly status: string;
  /** The address as we wrote it, else as the server knew it, in lower case; absent where the report names none. */
  readonly recipient?: string | undefined;
  /** Words of the server, bounded and hostile. */
  readonly diagnostic: string;
}

const MOST_BYTES = 64 * 1024;
const MOST_DIAGNOSTIC = 300;

/** Reads the machine's part of a report; undefined where it says nothing of a delivery. */
export function readDeliveryStatus(content: Buffer): Bounce | undefined {
  const text = content
    .subarray(0, MOST_BYTES)
    .toString('latin1')
    .replaceAll(/\r?\n[ \t]+/g, ' ');
  const field = (name: string): string =>
    new RegExp(`^${name}:[ \\t]*([^\\r\\n]*)$`, 'im').exec(text)?.[1]?.trim() ?? '';
  const status = /^([245]\.\d{1,3}\.\d{1,3})\b/.exec(field('Status'))?.[1];
  if (status === undefined) return undefined;
  const named = field('Original-Recipient') || field('Final-Recipient');
  const recipient = /^rfc822;\s*<?([^\s<>;]{3,320})>?$/i.exec(named)?.[1]?.toLowerCase();
  return {
    recipient,
    action: field('Action').toLowerCase().slice(0, 20),
    status,
    diagnostic: field('Diagnostic-Code').slice(0, MOST_DIAGNOSTIC),
  };
}

// RFC 3463: there is no such mailbox, host or address, or the mailbox takes nothing any more. Everything else of class 5
// may be about this one mail, or about us (refused as spam, too large, no right to relay).
const DEAD = new Set(['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10', '5.2.1']);

/** Whether no other mail to this address will arrive either. */
export const isDeadAddress = (status: string): boolean => DEAD.has(status);
