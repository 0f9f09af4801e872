import type { LookupFunction } from 'node:net';
import { forbiddenBecause, type Forbidden } from './addresses.js';
import { EgressRefused, systemResolve, type Resolve } from './egress.js';

/** Networks that an operator may open as a whole. Link-local and metadata addresses are never opened. */
const PRIVATE: ReadonlySet<Forbidden> = new Set(['loopback', 'private', 'shared']);

/** Why an address may not be connected to, by somebody who may or may not reach private networks. */
export function refusedAddress(address: string, allowPrivate: boolean): Forbidden | undefined {
  const reason = forbiddenBecause(address);
  return reason !== undefined && allowPrivate && PRIVATE.has(reason) ? undefined : reason;
}

/** @throws EgressRefused when one of the addresses may not be connected to. */
export function vetAddresses(
  hostname: string,
  addresses: readonly { readonly address: string }[],
  allowPrivate: boolean,
): void {
  for (const { address } of addresses) {
    const reason = refusedAddress(address, allowPrivate);
    // One wrong address among right ones is enough: which one is used must not be left to chance.
    if (reason !== undefined)
      throw new EgressRefused(
        reason,
        `${hostname} may not be called: it is a ${reason.replace('_', ' ')} address.`,
      );
  }
}

/**
 * A `lookup` for agents of clients that are not ours (the AWS SDK): the name is resolved once, every address is checked, and
 * the socket connects to one of those. Addresses that are written as such are not looked up; check them before.
 */
export function vettedLookup(allowPrivate: boolean, resolve: Resolve = systemResolve): LookupFunction {
  return (...asked) => void lookUp(asked, allowPrivate, resolve);
}

async function lookUp(
  [hostname, options, tell]: Parameters<LookupFunction>,
  allowPrivate: boolean,
  resolve: Resolve,
): Promise<void> {
  let addresses: Awaited<ReturnType<Resolve>>;
  try {
    addresses = await resolve(hostname);
    vetAddresses(hostname, addresses, allowPrivate);
  } catch (error) {
    tell(error as NodeJS.ErrnoException, '', 0);
    return;
  }
  const [first] = addresses;
  if (first === undefined) {
    tell(Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' }), '', 0);
  } else if (options.all === true) tell(null, [...addresses]);
  else tell(null, first.address, first.family);
}
