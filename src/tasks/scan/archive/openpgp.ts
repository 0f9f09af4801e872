/** Packets of OpenPGP (RFC 9580, 5) that an encrypted message consists of. */
const PKESK = 1;
const SKESK = 3;
const SED = 9;
const SEIPD = 18;
const AEAD = 20;
const MESSAGE = new Set([PKESK, SKESK, SED, SEIPD, AEAD]);

interface Packet {
  readonly tag: number;
  /** Where its content begins, and how long it is; `undefined` for one that comes in parts or up to the end. */
  readonly from: number;
  readonly length: number | undefined;
}

/**
 * Whether the bytes begin an encrypted message of OpenPGP in binary form. There is no magic: lengths and numbers
 * must fit one another, so that other binaries are not taken for one.
 */
export function isOpenPgpMessage(head: Buffer): boolean {
  const first = packetAt(head, 0);
  if (first === undefined) return false;
  const { from, length } = first;
  if (first.tag === SEIPD) return isSealed(head, from, length);
  if (length === undefined) return false;
  const isKey =
    first.tag === PKESK
      ? isPublicKeyed(head, from, length)
      : first.tag === SKESK && isPassphrase(head, from, length);
  if (!isKey) return false;
  // What the key is for, or a key for somebody else; beyond what is here with long keys.
  const nextAt = from + length;
  if (nextAt >= head.length) return first.tag === PKESK && head.length >= 256;
  const next = packetAt(head, nextAt);
  return next !== undefined && MESSAGE.has(next.tag);
}

function packetAt(head: Buffer, at: number): Packet | undefined {
  const first = head[at] ?? 0;
  if ((first & 0x80) === 0 || at + 6 > head.length) return undefined;
  if ((first & 0x40) === 0) {
    const tag = (first >>> 2) & 15;
    const sizeBytes = [1, 2, 4][first & 3];
    if (sizeBytes === undefined) return { tag, from: at + 1, length: undefined };
    return { tag, from: at + 1 + sizeBytes, length: head.readUIntBE(at + 1, sizeBytes) };
  }
  const tag = first & 63;
  const length = head[at + 1] ?? 0;
  if (length < 192) return { tag, from: at + 2, length };
  if (length < 224) return { tag, from: at + 3, length: (length - 192) * 256 + (head[at + 2] ?? 0) + 192 };
  if (length === 255) return { tag, from: at + 6, length: head.readUInt32BE(at + 2) };
  return { tag, from: at + 2, length: undefined };
}

const RSA = [1, 2];
const ELGAMAL = [16, 20];
const ECDH = 18;
const X25519 = 25;
const X448 = 26;

/** A session key for a public key: its numbers must fill it to the byte. */
function isPublicKeyed(head: Buffer, from: number, length: number): boolean {
  const version = head[from];
  let at = from + 1;
  if (version === 3) at += 8;
  else if (version === 6) {
    const keyBytes = head[at] ?? 0;
    // None, or a fingerprint of version 4 or 6 and its version.
    if (![0, 21, 33].includes(keyBytes)) return false;
    at += 1 + keyBytes;
  } else return false;
  const algorithm = head[at] ?? 0;
  at += 1;
  const end = from + length;
  if (RSA.includes(algorithm)) return numberEnd(head, at) === end;
  if (ELGAMAL.includes(algorithm)) {
    const middle = numberEnd(head, at);
    // The second number of a long key is beyond what is here.
    return (
      middle !== undefined && (middle + 2 > head.length ? middle < end : numberEnd(head, middle) === end)
    );
  }
  if (algorithm === ECDH) {
    const point = numberEnd(head, at);
    return point !== undefined && point < head.length && point + 1 + (head[point] ?? 0) === end;
  }
  const keyBytes = algorithm === X25519 ? 32 : algorithm === X448 ? 56 : undefined;
  return keyBytes !== undefined && at + keyBytes + 1 + (head[at + keyBytes] ?? 0) === end;
}

/** Where a number ends that states its bits; those that are said must be the ones that it has. */
function numberEnd(head: Buffer, at: number): number | undefined {
  if (at + 3 > head.length) return undefined;
  const bits = head.readUInt16BE(at);
  const top = head[at + 2] ?? 0;
  const topBits = 32 - Math.clz32(top);
  if (bits < 200 || topBits !== ((bits - 1) % 8) + 1) return undefined;
  return at + 2 + Math.ceil(bits / 8);
}

// Simple, salted, and salted many times; their bytes.
const DERIVED_BYTES: Readonly<Record<number, number>> = { 0: 2, 1: 10, 3: 11, 4: 20 };

/** A session key for a passphrase. */
function isPassphrase(head: Buffer, from: number, length: number): boolean {
  const version = head[from];
  if (version !== 4 && version !== 5 && version !== 6) return false;
  // Version 6 counts what follows; 5 and 6 name a mode too.
  let at = from + (version === 6 ? 2 : 1);
  const cipher = head[at] ?? 0;
  at += version === 4 ? 1 : 2;
  if (version === 6) at += 1;
  const kind = head[at] ?? 255;
  const hash = head[at + 1] ?? 0;
  const derivedBytes = DERIVED_BYTES[kind];
  if (derivedBytes === undefined || cipher < 1 || cipher > 13) return false;
  if (kind !== 4 && (hash < 1 || hash > 14)) return false;
  const left = from + length - at - derivedBytes;
  // In version 4 the key itself may be missing; it is at most of 32 bytes and what tells its kind.
  return version === 4 ? left === 0 || (left >= 9 && left <= 33) : left > 16 && left <= 96;
}

/** Encrypted data with no key before it. */
function isSealed(head: Buffer, from: number, length: number | undefined): boolean {
  const version = head[from];
  const isShort = length !== undefined && from + length <= head.length;
  if (version === 2) {
    const [cipher = 0, mode = 0, chunk = 255] = head.subarray(from + 1, from + 4);
    return cipher >= 1 && cipher <= 13 && mode >= 1 && mode <= 3 && chunk <= 16;
  }
  // A block of random bytes, two of them again, and a checksum at least; the last packet of the message.
  return version === 1 && (isShort ? length >= 38 && from + length === head.length : head.length >= 256);
}
