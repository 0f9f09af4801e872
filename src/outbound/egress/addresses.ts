import ipaddr from 'ipaddr.js';

/** Why an address may not be connected to. */
export type Forbidden =
  'not_an_address' | 'loopback' | 'private' | 'link_local' | 'metadata' | 'shared' | 'multicast' | 'reserved';

/** A network that an operator opened on purpose, as `10.2.0.0/16`. */
export type AllowedNetwork = ReturnType<typeof ipaddr.parseCIDR>;

// Where clouds hand out credentials. Never opened, whatever networks are allowed.
const METADATA = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '100.100.100.200',
  '192.0.0.192',
  '168.63.129.16',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
]);

const V4_RANGES: Readonly<Record<string, Forbidden>> = {
  loopback: 'loopback',
  private: 'private',
  linkLocal: 'link_local',
  carrierGradeNat: 'shared',
  multicast: 'multicast',
};

const V6_RANGES: Readonly<Record<string, Forbidden>> = {
  loopback: 'loopback',
  uniqueLocal: 'private',
  linkLocal: 'link_local',
  multicast: 'multicast',
};

/** A network in CIDR form. @throws Error for anything else. */
export const parseNetwork = (text: string): AllowedNetwork => ipaddr.parseCIDR(text);

/**
 * Why an address must not be connected to; `undefined` when it is an ordinary public one (or in an allowed network).
 *
 * An IPv6 address that carries an IPv4 one (mapped, translated, NAT64, 6to4) is judged by what it carries.
 */
export function forbiddenBecause(
  address: string,
  allowed: readonly AllowedNetwork[] = [],
): Forbidden | undefined {
  if (!ipaddr.isValid(address) || address.includes('%')) return 'not_an_address';
  const given = ipaddr.parse(address);
  const judged = given.kind() === 'ipv6' ? carried(given as ipaddr.IPv6) : given;
  if (METADATA.has(judged.toString()) || METADATA.has(given.toString())) return 'metadata';
  if (allowed.some(([network, bits]) => network.kind() === judged.kind() && judged.match(network, bits)))
    return undefined;
  const range = judged.range();
  if (range === 'unicast') return undefined;
  return (judged.kind() === 'ipv4' ? V4_RANGES[range] : V6_RANGES[range]) ?? 'reserved';
}

/** The IPv4 address inside, where there is one. */
function carried(address: ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  const bytes = address.toByteArray();
  const range = address.range();
  if (address.isIPv4MappedAddress()) return address.toIPv4Address();
  // ::a.b.c.d (deprecated), ::ffff:0:a.b.c.d (RFC 6145) and 64:ff9b::a.b.c.d (NAT64, RFC 6052) end in the IPv4 address.
  const isCompatible =
    bytes.slice(0, 12).every((byte) => byte === 0) && bytes.slice(12).some((byte) => byte > 1);
  if (isCompatible || range === 'rfc6145' || range === 'rfc6052') return new ipaddr.IPv4(bytes.slice(12));
  // 2002:aabb:ccdd:: (6to4) has it behind the prefix.
  if (range === '6to4') {
    const inner = new ipaddr.IPv4(bytes.slice(2, 6));
    // Relays are gone; what carries a public address is still no ordinary destination.
    return inner.range() === 'unicast' ? address : inner;
  }
  return address;
}
