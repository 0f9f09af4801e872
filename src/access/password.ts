import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { Overloaded } from '../errors.js';

// OWASP's smallest recommended setting with 32 MiB per hash; the next one up needs 128 MiB for each login.
const COST = 2 ** 15;
const BLOCK_SIZE = 8;
const PARALLEL = 3;
const KEY_BYTES = 32;

/** Longest password that is hashed; more would only cost time. */
export const MAX_PASSWORD_LENGTH = 256;

// One at a time: a burst of logins must cost time, not memory.
let turn: Promise<unknown> = Promise.resolve();
let waiting = 0;
// Some five seconds' worth: whoever comes later is told so, instead of waiting behind a flood.
const MAX_WAITING = 20;

function derive(
  password: string,
  salt: Buffer,
  cost: number,
  blockSize: number,
  parallel: number,
): Promise<Buffer> {
  const run = () =>
    new Promise<Buffer>((resolve, reject) => {
      const options = { N: cost, r: blockSize, p: parallel, maxmem: 256 * cost * blockSize };
      scrypt(password.normalize('NFKC'), salt, KEY_BYTES, options, (error, key) =>
        error ? reject(error) : resolve(key),
      );
    });
  if (waiting >= MAX_WAITING) {
    return Promise.reject(new Overloaded('Too many logins at once. Try again in a few seconds.', 5, 503));
  }
  waiting += 1;
  const result = turn.then(run, run).finally(() => (waiting -= 1));
  turn = result.catch(() => undefined);
  return result;
}

/** `scrypt$N$r$p$salt$key`, so that the setting can rise without a migration. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, COST, BLOCK_SIZE, PARALLEL);
  return ['scrypt', COST, BLOCK_SIZE, PARALLEL, salt.toString('base64'), key.toString('base64')].join('$');
}

/** Whether somebody with this can have a password; accounts of an identity provider's people have none. */
export const isPasswordHash = (hash: string): boolean => hash.startsWith('scrypt$');

/** Constant time; false for a hash of an unknown form. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const [kind, cost, blockSize, parallel, salt, expected] = hash.split('$');
  if (
    kind !== 'scrypt' ||
    salt === undefined ||
    expected === undefined ||
    password.length > MAX_PASSWORD_LENGTH
  )
    return false;
  const key = await derive(
    password,
    Buffer.from(salt, 'base64'),
    Number(cost),
    Number(blockSize),
    Number(parallel),
  );
  const wanted = Buffer.from(expected, 'base64');
  return wanted.length === key.length && timingSafeEqual(wanted, key);
}
