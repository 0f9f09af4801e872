import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { NotOwned, readOwned } from './owned-file.js';
import { writePrivate } from './private-file.js';

/** Where the service of a home listens, as `address.json` (0600) in that home says it to the command line. */
export interface HomeAddress {
  /** Without a slash at the end. */
  readonly url: string;
  /** Known to those who may read the home; made once and kept. */
  readonly proofKey: string;
  /** Only who knows the secret of the home's API key can make it: see {@link isSealed}. */
  readonly seal?: string;
}

/** Whoever answers this with {@link homeProof} is the service of the home, and no other program on its port. */
export const HOME_PROOF_PATH = '/api/v1/home-proof';
export const NONCE = /^[\w-]{22,86}$/;

const FILE = 'address.json';

export { NotOwned };

/**
 * The address is part of it: a program on an earlier port of the service could otherwise have the service answer for it.
 */
export const homeProof = ({ url, proofKey }: HomeAddress, nonce: string): string =>
  createHmac('sha256', Buffer.from(proofKey, 'base64url')).update(`${url} ${nonce}`).digest('base64url');

/** Whether `answer` proves it. */
export const isHomeProof = (address: HomeAddress, nonce: string, answer: string): boolean =>
  isEqual(answer, homeProof(address, nonce));

const sealOf = ({ url, proofKey }: HomeAddress, keySecret: string): string =>
  createHmac('sha256', keySecret)
    .update(JSON.stringify(['sallyport home address', url, proofKey]))
    .digest('base64url');

/** Whether a service that has this key wrote the address: to another address the key is not sent. */
export const isSealed = (address: HomeAddress, keySecret: string): boolean =>
  isEqual(address.seal ?? '', sealOf(address, keySecret));

function isEqual(text: string, right: string): boolean {
  const [a, b] = [Buffer.from(text), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * What the service wrote when it listened last; it may be gone since.
 *
 * @param isMine see {@link readOwned}
 * @throws Error when the file cannot be read, or may be somebody else's.
 */
export function readHomeAddress(home: string, isMine = false): HomeAddress | undefined {
  const text = readOwned(home, FILE, isMine);
  if (text === undefined) return undefined;
  try {
    const { url, proofKey, seal } = JSON.parse(text) as Partial<HomeAddress>;
    if (typeof url === 'string' && URL.canParse(url) && typeof proofKey === 'string' && proofKey !== '') {
      return { url, proofKey, ...(typeof seal === 'string' ? { seal } : {}) };
    }
  } catch (error) {
    // Half a file is none.
    if (!(error instanceof SyntaxError)) throw error;
  }
  return undefined;
}

/** The API key that the first start wrote into the home. @throws Error as {@link readHomeAddress} */
export function readHomeKey(
  home: string,
): { readonly keyId: string; readonly keySecret: string } | undefined {
  const text = readOwned(home, 'credentials.json');
  return text === undefined
    ? undefined
    : (JSON.parse(text) as { apiKey?: { keyId: string; keySecret: string } }).apiKey;
}

/**
 * The service's side. The file outlives the service: a client then says where it was, and no program that takes the
 * port proves itself. So does the key, that a restart changes nothing for who waits for it.
 */
export class HomeDoor {
  private address: HomeAddress | undefined;

  constructor(private readonly home: string) {}

  /**
   * Tells the command line where; after the port is ours.
   *
   * @param publicHost how HOST is written in an address, for one that is not loopback.
   * @param keySecret of the home's API key; `undefined` for a home without one.
   */
  open(bound: AddressInfo, publicHost: string, keySecret: string | undefined): void {
    const proofKey = this.keptKey(keySecret) ?? randomBytes(32).toString('base64url');
    this.address = { url: `http://${loopbackOf(bound) ?? publicHost}:${bound.port}`, proofKey };
    const seal = keySecret === undefined ? {} : { seal: sealOf(this.address, keySecret) };
    const file = { ...this.address, ...seal, pid: process.pid };
    writePrivate(join(this.home, FILE), `${JSON.stringify(file, null, 2)}\n`);
  }

  /** One that somebody else may have put there is not taken over: he could prove to be us. */
  private keptKey(keySecret: string | undefined): string | undefined {
    try {
      const kept = readHomeAddress(this.home);
      const isOurs = kept !== undefined && (keySecret === undefined || isSealed(kept, keySecret));
      return isOurs ? kept.proofKey : undefined;
    } catch (error) {
      if (error instanceof NotOwned) return undefined;
      throw error;
    }
  }

  /** `undefined` before it is open. */
  prove(nonce: string): string | undefined {
    return this.address === undefined ? undefined : homeProof(this.address, nonce);
  }
}

/** The bound address and not `localhost`, where somebody else may listen under its other address. */
function loopbackOf({ address }: AddressInfo): string | undefined {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1';
  if (address === '::1') return '[::1]';
  return address.startsWith('127.') ? address : undefined;
}
