import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { systemResolve, type Resolve } from '../../outbound/egress/egress.js';
import { resolveInTime } from './resolve-in-time.js';

/** What tells one server from another. */
export interface Address {
  /** AWS when absent. */
  readonly url?: string | undefined;
  readonly region: string;
}

/**
 * Everything that the server behind an address is known by: for AWS its partition, in which a bucket's name is unique; for
 * others host and port as written, and every address that the host resolves to. What does not resolve within three seconds
 * is known by its text alone.
 */
export async function serversOf(
  { url, region }: Address,
  resolve: Resolve = systemResolve,
): Promise<ReadonlySet<string>> {
  if (url === undefined) return new Set([partitionOf(region)]);
  const target = new URL(url);
  const hostname = bareHost(target);
  if (isAws(hostname)) return new Set([partitionOf(hostname.endsWith('.cn') ? 'cn-north-1' : region)]);
  const port = target.port === '' ? (target.protocol === 'https:' ? '443' : '80') : target.port;
  const addresses = ipaddr.isValid(hostname) ? [hostname] : await resolved(hostname, resolve);
  return new Set([hostname, ...addresses.map(canonical)].map((name) => `${name} ${shared(port)}`));
}

/** Without brackets and without the dot at the end. */
export const bareHost = ({ hostname }: URL): string =>
  hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();

/** Amazon's own names; buckets there are unique, whichever of them is used. */
export const isAws = (hostname: string): boolean => /(^|\.)amazonaws\.com(\.cn)?$/.test(hostname);

const partitionOf = (region: string): string => {
  const special = /^(cn|us-gov|us-isob?|eu-isoe|us-isof)-/.exec(region);
  return `aws ${special?.[1] ?? ''}`.trim();
};

// The same server by http and by https.
const shared = (port: string): string => (port === '80' || port === '443' ? 'web' : port);

async function resolved(hostname: string, resolve: Resolve): Promise<readonly string[]> {
  try {
    return (await resolveInTime(hostname, resolve)).map(({ address }) => address);
  } catch {
    // Not known now: its text has to do.
    return [];
  }
}

/** One spelling for each address; this machine's own are all the same. */
function canonical(address: string): string {
  const parsed = ipaddr.process(address);
  const isOwn =
    parsed.range() === 'loopback' ||
    parsed.range() === 'unspecified' ||
    Object.values(networkInterfaces()).some(
      (ones) => ones?.some((one) => one.address === parsed.toString()) === true,
    );
  return isOwn ? 'this machine' : parsed.toString();
}
