import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivate } from './private-file.js';

/** Where the service of a home listens, as `address.json` (0600) in that home says it to the command line. */
export interface HomeAddress {
  /** Without a slash at the end. */
  readonly url: string;
  /** Known to those who may read the home; made once and kept. */
  readonly proofKey: string;
}

/** Whoever answers this with {@link homeProof} is the service of the home, and no other program on its port. */
export const HOME_PROOF_PATH = '/api/v1/home-proof';
export const NONCE = /^[\w-]{22,86}$/;

const fileIn = (home: string): string => join(home, 'address.json');

/**
 * The address is part of it: a program on an earlier port of the service could otherwise have the service answer for it.
 */
export const homeProof = ({ url, proofKey }: HomeAddress, nonce: string): string =>
  createHmac('sha256', Buffer.from(proofKey, 'base64url')).update(`${url} ${nonce}`).digest('base64url');

/** Whether `answer` proves it. */
export function isHomeProof(address: HomeAddress, nonce: string, answer: string): boolean {
  const [given, right] = [Buffer.from(answer), Buffer.from(homeProof(address, nonce))];
  return given.length === right.length && timingSafeEqual(given, right);
}

/** What the service wrote when it listened last; it may be gone since. @throws Error when the file cannot be read. */
export function readHomeAddress(home: string): HomeAddress | undefined {
  try {
    const { url, proofKey } = JSON.parse(readFileSync(fileIn(home), 'utf8')) as Partial<HomeAddress>;
    if (typeof url === 'string' && URL.canParse(url) && typeof proofKey === 'string' && proofKey !== '') {
      return { url, proofKey };
    }
  } catch (error) {
    // Half a file is none; who must not read it is told so.
    if (!(error instanceof SyntaxError) && (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return undefined;
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
   */
  open(bound: AddressInfo, publicHost: string): void {
    const proofKey = readHomeAddress(this.home)?.proofKey ?? randomBytes(32).toString('base64url');
    this.address = { url: `http://${loopbackOf(bound) ?? publicHost}:${bound.port}`, proofKey };
    writePrivate(fileIn(this.home), `${JSON.stringify({ ...this.address, pid: process.pid }, null, 2)}\n`);
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
