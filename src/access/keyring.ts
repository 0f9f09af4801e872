import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { ConfigError } from '../errors.js';
import type { Clock } from '../clock.js';
import type { Queryable } from '../database/queryable.js';

/** What a key is for; a key is never used for two purposes. */
export type KeyPurpose = 'jwt' | 'fingerprint' | 'links' | 'credentials' | 'events' | 'signin' | 'audit';

/** 32 random bytes and the id that whatever they sign or fingerprint names. */
export interface Key {
  readonly id: string;
  readonly key: Buffer;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PURPOSES: readonly KeyPurpose[] = [
  'jwt',
  'fingerprint',
  'links',
  'credentials',
  'events',
  'signin',
  'audit',
];

/**
 * The keys of the service, in the database, each sealed with SALLYPORT_KEY (AES-256-GCM, bound to its id).
 *
 * Loaded once at start. Created once even when many processes start together: the unique index of current keys
 * decides, and everybody reads what won.
 */
export class Keyring {
  private constructor(
    private readonly current: ReadonlyMap<KeyPurpose, Key>,
    private readonly byId: ReadonlyMap<string, Key>,
  ) {}

  /** @throws ConfigError when the database's keys were sealed with another SALLYPORT_KEY. */
  static async open(db: Queryable, masterKey: Buffer, clock: Clock): Promise<Keyring> {
    for (const purpose of PURPOSES) {
      const id = `${purpose}-${randomBytes(6).toString('hex')}`;
      await db.query(
        `INSERT INTO keyring (id, purpose, sealed, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (purpose) WHERE retired_at IS NULL DO NOTHING`,
        [id, purpose, seal(randomBytes(32), masterKey, id), Math.round(clock.now())],
      );
    }
    return Keyring.read(db, masterKey);
  }

  /** Those that are there; makes none. @throws ConfigError as `open` does. */
  static async read(db: Queryable, masterKey: Buffer): Promise<Keyring> {
    const rows = await db.query<{
      id: string;
      purpose: KeyPurpose;
      sealed: Buffer;
      retired_at: string | null;
    }>('SELECT id, purpose, sealed, retired_at FROM keyring');
    const current = new Map<KeyPurpose, Key>();
    const byId = new Map<string, Key>();
    for (const row of rows) {
      const key = { id: row.id, key: unseal(row.sealed, masterKey, row.id) };
      byId.set(row.id, key);
      if (row.retired_at === null) current.set(row.purpose, key);
    }
    return new Keyring(current, byId);
  }

  /** The key in use for a purpose. */
  for(purpose: KeyPurpose): Key {
    const key = this.current.get(purpose);
    if (key === undefined)
      throw new ConfigError(
        `The keyring has no key for ${purpose}. Restore the keyring table from a backup.`,
      );
    return key;
  }

  /** A key that something older names; `undefined` when there is none of that id. */
  named(id: string): Key | undefined {
    return this.byId.get(id);
  }
}

function seal(plain: Buffer, masterKey: Buffer, id: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', masterKey, nonce).setAAD(Buffer.from(id));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
}

/** One key as the table holds it. @throws ConfigError when it was sealed with another SALLYPORT_KEY. */
export function unseal(sealed: Buffer, masterKey: Buffer, id: string): Buffer {
  try {
    const decipher = createDecipheriv('aes-256-gcm', masterKey, sealed.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(Buffer.from(id))
      .setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
  } catch (error) {
    throw new ConfigError(
      `SALLYPORT_KEY: the key ${id} in the database was sealed with another one. Set the key that this database was first started with.`,
      { cause: error },
    );
  }
}
