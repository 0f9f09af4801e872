import type { FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';

/** A proxy's address or network, as `10.0.0.7` or `10.2.0.0/16`. */
export type TrustedProxy = ReturnType<typeof ipaddr.parseCIDR>;

/** @throws Error for what is neither an address nor a network. */
export function parseProxy(text: string): TrustedProxy {
  if (text.includes('/')) return ipaddr.parseCIDR(text);
  const address = ipaddr.process(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

// Longer chains are no proxies but somebody who plays with the header.
const MAX_HOPS = 20;

/**
 * Where a request comes from: the nearest address that is no proxy of ours. What `X-Forwarded-For` says further left is
 * the client's own word and is not read.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  trusted: readonly TrustedProxy[],
): string | undefined {
  let nearest = peer;
  const hops = (forwardedFor ?? '').split(',').map((part) => part.trim());
  for (let left = 0; left < MAX_HOPS && isTrusted(nearest, trusted); left++) {
    const next = hops.pop();
    // A proxy that says nothing usable is itself all that is known.
    if (next === undefined || !ipaddr.isValid(next)) break;
    nearest = next;
  }
  return nearest === undefined || !ipaddr.isValid(nearest) ? nearest : ipaddr.process(nearest).toString();
}

/** Whether it came over TLS: to us, or to a proxy of ours, which says so. */
export function cameByHttps(
  peer: { readonly address: string | undefined; readonly encrypted: boolean },
  forwardedProto: string | undefined,
  trusted: readonly TrustedProxy[],
): boolean {
  if (peer.encrypted) return true;
  // Of several proxies the nearest one wrote the last word.
  const said = forwardedProto?.split(',').at(-1)?.trim().toLowerCase();
  return said === 'https' && isTrusted(peer.address, trusted);
}

const isTrusted = (address: string | undefined, trusted: readonly TrustedProxy[]): boolean => {
  if (address === undefined || !ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return trusted.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits));
};

const one = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(',') : header;

/** The same of a request as Fastify has it. `trustProxy` stays off there: it would believe X-Forwarded-Host, too. */
export const clientOf = (
  { raw, headers }: Pick<FastifyRequest, 'raw' | 'headers'>,
  trusted: readonly TrustedProxy[],
): { readonly address: string | undefined; readonly https: boolean } => ({
  address: clientAddress(raw.socket.remoteAddress, one(headers['x-forwarded-for']), trusted),
  https: cameByHttps(
    { address: raw.socket.remoteAddress, encrypted: 'encrypted' in raw.socket },
    one(headers['x-forwarded-proto']),
    trusted,
  ),
});
