import { sha1 } from './sha1.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
// RFC 9562's namespace for URLs; only stands in for a namespace that is no UUID itself.
const URL_NAMESPACE = '6ba7b811-9dad-11d1-80b4-00c04fd430c8';
const encoder = new TextEncoder();
const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/**
 * The UUIDv5 (RFC 9562, section 5.5) of a name in a namespace: the same two give the same id on every machine.
 * A namespace that is not a UUID (a caller may choose a workflow's id) is first named into one.
 */
export function uuid5(namespace: string, name: string): string {
  const space = UUID.test(namespace) ? namespace : uuid5(URL_NAMESPACE, namespace);
  const hex = space.replaceAll('-', '');
  const nameBytes = encoder.encode(name);
  const message = new Uint8Array(16 + nameBytes.length);
  for (let i = 0; i < 16; i++) message[i] = Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16);
  message.set(nameBytes, 16);

  const bytes = sha1(message).subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const text = bytes.reduce((hexText, byte) => hexText + HEX[byte]!, '');
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}

/** The id of one attempt of one step. Derived, so that deciding twice creates one row. */
export const taskIdOf = (
  workflow: { readonly workflowId: string; readonly runEpoch: number },
  referenceTaskName: string,
  iteration: number,
  attempt: number,
): string => uuid5(workflow.workflowId, `${workflow.runEpoch}/${referenceTaskName}/${iteration}/${attempt}`);
