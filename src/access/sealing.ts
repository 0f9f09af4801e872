import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { ConfigError } from '../errors.js';
import type { Key, Keyring } from './keyring.js';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts a text for the database (AES-256-GCM). The result names its key, and opens only for what it belongs to: moved to
 * another row it is of no use.
 */
export function sealText({ id, key }: Key, text: string, belongsTo: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(context(id, belongsTo));
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return `${id}:${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')}`;
}

/** What {@link sealText} encrypted. @throws ConfigError when its key is not in the keyring, or it was changed or moved. */
export function openText(keyring: Pick<Keyring, 'named'>, sealed: string, belongsTo: string): string {
  const colon = sealed.lastIndexOf(':');
  const id = sealed.slice(0, colon);
  const key = keyring.named(id);
  if (key === undefined)
    throw new ConfigError(
      `What belongs to ${belongsTo} was encrypted with the key ${id}, which the keyring does not have. Restart this process; if that does not help, enter it again.`,
    );
  const bytes = Buffer.from(sealed.slice(colon + 1), 'base64url');
  try {
    const decipher = createDecipheriv('aes-256-gcm', key.key, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(context(id, belongsTo))
      .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    return Buffer.concat([
      decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)),
      decipher.final(),
    ]).toString('utf8');
  } catch (error) {
    throw new ConfigError(`What belongs to ${belongsTo} cannot be decrypted: enter it again.`, {
      cause: error,
    });
  }
}

const context = (keyId: string, belongsTo: string): Buffer => Buffer.from(`${keyId}\n${belongsTo}`);
