import { hash } from 'node:crypto';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
// RFC 9562's namespace for URLs; only stands in for a namespace that is no UUID itself.
const URL_NAMESPACE = '6ba7b811-9dad-11d1-80b4-00c04fd430c8';

export const isUuid = (text: string): boolean => UUID.test(text);

/**
 * The UUIDv5 (RFC 9562, section 5.5) of a name in a namespace: the same two give the same id on every machine.
 * A namespace that is not a UUID (a caller may choose a workflow's id) is first named into one.
 *
 * Every attempt of every step is named by it, so it is our own: 1.9 µs beside 4.0 µs of the `uuid` package, which the
 * tests compare it with.
 */
export function uuid5(namespace: string, name: string): string {
  const space = isUuid(namespace) ? namespace : uuid5(URL_NAMESPACE, namespace);
  const message = Buffer.allocUnsafe(16 + Buffer.byteLength(name));
  message.write(space.replaceAll('-', ''), 'hex');
  message.write(name, 16);
  const text = hash('sha1', message, 'hex');
  // Version and variant: the upper bits of the seventh and the ninth byte.
  const variant = ((Number.parseInt(text.charAt(16), 16) & 3) | 8).toString(16);
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-5${text.slice(13, 16)}-${variant}${text.slice(17, 20)}-${text.slice(20, 32)}`;
}
