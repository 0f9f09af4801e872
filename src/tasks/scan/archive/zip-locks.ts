import { createCipheriv, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Entry } from 'yauzl';
import { CannotUnpack } from './budget.js';

const derive = promisify(pbkdf2);

/** How one member is encrypted. */
export type ZipLock =
  | { readonly kind: 'pkware'; readonly method: number; readonly check: number }
  | { readonly kind: 'aes'; readonly method: number; readonly keyBytes: number; readonly hasCrc: boolean };

/** Undoes the encryption of one member's bytes, which come without what stands before and behind them. */
export interface Decryption {
  update(bytes: Buffer): Buffer;
  /** @throws CannotUnpack when the bytes are not those that were encrypted */
  end(trailer: Buffer): void;
}

const AES_METHOD = 99;
const AES_EXTRA = 0x9901;
// Strong encryption, and an encrypted directory: PKWARE's own, which nobody else reads.
const STRONG = 0x40 | 0x2000;
const HAS_DESCRIPTOR = 0x8;
const PKWARE_HEAD_BYTES = 12;
const VERIFIER_BYTES = 2;
const CODE_BYTES = 10;
const ROUNDS = 1000;

/** `undefined` for an encryption that we do not know. */
export function lockOf(entry: Entry): ZipLock | undefined {
  if ((entry.generalPurposeBitFlag & STRONG) !== 0) return undefined;
  if (entry.compressionMethod !== AES_METHOD) {
    // The last byte of the head tells most wrong passwords: of the checksum, or of the time where that comes later.
    const isLate = (entry.generalPurposeBitFlag & HAS_DESCRIPTOR) !== 0;
    const check = isLate ? (entry.lastModFileTime >>> 8) & 0xff : entry.crc32 >>> 24;
    return { kind: 'pkware', method: entry.compressionMethod, check };
  }
  const extra = entry.extraFields.find(({ id }) => id === AES_EXTRA)?.data;
  if (extra === undefined || extra.length < 7 || extra.toString('latin1', 2, 4) !== 'AE') return undefined;
  const [version, strength, method] = [extra.readUInt16LE(0), extra[4] ?? 0, extra.readUInt16LE(5)];
  if (version < 1 || version > 2 || strength < 1 || strength > 3) return undefined;
  return { kind: 'aes', method, keyBytes: 8 + 8 * strength, hasCrc: version === 1 };
}

export const headBytesOf = (lock: ZipLock): number =>
  lock.kind === 'pkware' ? PKWARE_HEAD_BYTES : lock.keyBytes / 2 + VERIFIER_BYTES;
export const trailerBytesOf = (lock: ZipLock): number => (lock.kind === 'pkware' ? 0 : CODE_BYTES);

/** Tries a password on what stands before the bytes; `undefined` for one that cannot be right. */
export async function unlock(
  lock: ZipLock,
  head: Buffer,
  password: Buffer,
): Promise<(() => Decryption) | undefined> {
  if (head.length < headBytesOf(lock)) return undefined;
  if (lock.kind === 'pkware') {
    const begin = (): Pkware => {
      const keys = new Pkware(password);
      keys.last = keys.update(head).at(-1) ?? -1;
      return keys;
    };
    return begin().last === lock.check ? begin : undefined;
  }
  const { keyBytes } = lock;
  const salt = head.subarray(0, keyBytes / 2);
  const keys = await derive(password, salt, ROUNDS, 2 * keyBytes + VERIFIER_BYTES, 'sha1');
  if (!keys.subarray(2 * keyBytes).equals(head.subarray(salt.length, salt.length + VERIFIER_BYTES)))
    return undefined;
  return () => new Aes(keys.subarray(0, keyBytes), keys.subarray(keyBytes, 2 * keyBytes));
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : 0xedb88320 ^ (crc >>> 1);
  return crc >>> 0;
});
const crcStep = (crc: number, byte: number): number => ((CRC[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)) >>> 0;

/** PKWARE's traditional encryption (APPNOTE 6.1). */
class Pkware implements Decryption {
  last = -1;
  private one = 0x12345678;
  private two = 0x23456789;
  private three = 0x34567890;

  constructor(password: Buffer) {
    for (const byte of password) this.mix(byte);
  }

  update(bytes: Buffer): Buffer {
    const plain = Buffer.allocUnsafe(bytes.length);
    for (let at = 0; at < bytes.length; at += 1) {
      const mask = (this.three | 2) & 0xffff;
      const byte = (bytes[at] ?? 0) ^ ((Math.imul(mask, mask ^ 1) >>> 8) & 0xff);
      this.mix(byte);
      plain[at] = byte;
    }
    return plain;
  }

  end(): void {
    // The member's checksum tells.
  }

  private mix(byte: number): void {
    this.one = crcStep(this.one, byte);
    this.two = (Math.imul((this.two + (this.one & 0xff)) | 0, 134_775_813) + 1) >>> 0;
    this.three = crcStep(this.three, this.two >>> 24);
  }
}

const BLOCK = 16;

/** WinZip's AES: counter mode whose counter begins with its lowest byte, which node's does not. */
class Aes implements Decryption {
  private readonly cipher;
  private readonly code;
  private counter = 0;
  private left: Buffer = Buffer.alloc(0);

  constructor(key: Buffer, codeKey: Buffer) {
    this.cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
    this.code = createHmac('sha1', codeKey);
  }

  update(bytes: Buffer): Buffer {
    this.code.update(bytes);
    const missing = Math.max(0, bytes.length - this.left.length);
    const blocks = Buffer.alloc(Math.ceil(missing / BLOCK) * BLOCK);
    for (let at = 0; at < blocks.length; at += BLOCK) {
      this.counter += 1;
      blocks.writeUIntLE(this.counter, at, 6);
    }
    const mask = Buffer.concat([this.left, this.cipher.update(blocks)]);
    this.left = mask.subarray(bytes.length);
    const plain = Buffer.allocUnsafe(bytes.length);
    for (let at = 0; at < bytes.length; at += 1) plain[at] = (bytes[at] ?? 0) ^ (mask[at] ?? 0);
    return plain;
  }

  end(trailer: Buffer): void {
    const code = this.code.digest().subarray(0, CODE_BYTES);
    if (trailer.length !== CODE_BYTES || !timingSafeEqual(code, trailer)) {
      throw new CannotUnpack('corrupt', 'zip: an encrypted member differs from its authentication code');
    }
  }
}
