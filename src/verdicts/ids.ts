import { createHash } from 'node:crypto';

// A random namespace of our own, fixed for ever: changing it would start every open scan a second time.
const NAMESPACE = Buffer.from('6f0c5f1e3b7a4c7c9a1d2f4be0d7a815', 'hex');

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const isUuid = (text: string): boolean => UUID.test(text);

/** UUID version 5 (RFC 9562) of a name in our namespace. */
export function derivedUuid(name: string): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** The scan of one generation of one object. */
export const scanIdOf = (objectId: string, generation: number): string =>
  derivedUuid(`scan:${objectId}:${generation}`);

/** The workflow that carries out a scan: derived, so that starting it again starts nothing new. */
export const workflowIdOf = (scanId: string): string => derivedUuid(`workflow:${scanId}`);
