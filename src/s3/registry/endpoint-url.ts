import ipaddr from 'ipaddr.js';
import { InvalidInput } from '../../errors.js';
import { EgressRefused, parseTarget, systemResolve, type Resolve } from '../../outbound/egress/egress.js';
import { vetAddresses } from '../../outbound/egress/vetted-lookup.js';
import { resolveInTime } from './resolve-in-time.js';
import { bareHost } from './servers.js';

const REMEDY =
  'An operator opens private networks with S3_ALLOW_PRIVATE_ENDPOINTS=true; link-local and metadata addresses stay closed.';

/**
 * An endpoint's address in one spelling: no user, query or fragment, no dot after the host, no slash at the end.
 *
 * @throws InvalidInput naming `url`.
 */
export function normalisedUrl(url: string): string {
  try {
    const target = parseTarget(url);
    if (target.search !== '' || target.hash !== '') {
      throw InvalidInput.field('url', 'must end with the host or a path, without query and fragment');
    }
    const port = target.port === '' ? '' : `:${target.port}`;
    const host = bareHost(target);
    return `${target.protocol}//${host.includes(':') ? `[${host}]` : host}${port}${target.pathname.replace(/\/+$/, '')}`;
  } catch (error) {
    if (error instanceof EgressRefused) throw InvalidInput.field('url', error.message, { cause: error });
    throw error;
  }
}

/**
 * Whether the service may go there, by every address that the host has now; each connection asks again.
 *
 * @throws InvalidInput naming `url`.
 */
export async function checkUrl(
  url: string,
  allowPrivate: boolean,
  resolve: Resolve = systemResolve,
): Promise<void> {
  const hostname = bareHost(new URL(url));
  const addresses = ipaddr.isValid(hostname) ? [{ address: hostname }] : await addressesOf(hostname, resolve);
  try {
    vetAddresses(hostname, addresses, allowPrivate);
  } catch (error) {
    if (error instanceof EgressRefused)
      throw InvalidInput.field('url', `${error.message} ${REMEDY}`, { cause: error });
    throw error;
  }
}

async function addressesOf(hostname: string, resolve: Resolve): Promise<readonly { address: string }[]> {
  const addresses = await resolveInTime(hostname, resolve).catch((cause: unknown) => {
    throw InvalidInput.field('url', `${hostname} is not known to DNS; check the spelling`, { cause });
  });
  if (addresses.length === 0) throw InvalidInput.field('url', `${hostname} has no address`);
  return addresses;
}
