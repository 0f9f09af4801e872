import { createCipheriv, createHmac, pbkdf2Sync } from 'node:crypto';
import { crc32, deflateRawSync } from 'node:zlib';

export interface AesMember {
  readonly name: string;
  readonly content: Buffer | string;
  readonly password: string;
  /** AE-1 keeps the checksum, AE-2 leaves it out. */
  readonly version?: 1 | 2;
  readonly bits?: 128 | 192 | 256;
  /** Changes the encrypted bytes after their code was made. */
  readonly damage?: boolean;
}

/** A zip with WinZip's AES, one block of counter mode at a time, as its description says. */
export function aesZip(members: readonly AesMember[]): Buffer {
  const locals: Buffer[] = [];
  const listed: Buffer[] = [];
  let at = 0;
  for (const member of members) {
    const { fields, name, data } = sealed(member);
    const local = Buffer.concat([Buffer.from('504b0304', 'hex'), fields, name, extraOf(member), data]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    listed.push(Buffer.concat([Buffer.from('504b01023300', 'hex'), fields, rest, name, extraOf(member)]));
    locals.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(listed);
  const end = Buffer.from('504b0506000000000000000000000000000000000000', 'hex');
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, directory, end]);
}

function extraOf({ version = 2, bits = 256 }: AesMember): Buffer {
  return Buffer.from([0x01, 0x99, 7, 0, version, 0, 0x41, 0x45, bits / 64 - 1, 8, 0]);
}

function sealed(member: AesMember): { fields: Buffer; name: Buffer; data: Buffer } {
  const { version = 2, bits = 256, damage = false } = member;
  const content = Buffer.from(member.content);
  const keyBytes = bits / 8;
  const salt = Buffer.alloc(keyBytes / 2, 5);
  const keys = pbkdf2Sync(member.password, salt, 1000, 2 * keyBytes + 2, 'sha1');
  const cipher = createCipheriv(`aes-${bits}-ecb`, keys.subarray(0, keyBytes), null);
  const packed = deflateRawSync(content);
  const coded = Buffer.alloc(packed.length);
  for (let from = 0, counter = 1; from < packed.length; from += 16, counter += 1) {
    const block = Buffer.alloc(16);
    block.writeUInt32LE(counter, 0);
    const mask = cipher.update(block);
    for (let n = 0; n < 16 && from + n < packed.length; n += 1)
      coded[from + n] = (packed[from + n] ?? 0) ^ (mask[n] ?? 0);
  }
  const code = createHmac('sha1', keys.subarray(keyBytes, 2 * keyBytes))
    .update(coded)
    .digest()
    .subarray(0, 10);
  if (damage) coded[0] = (coded[0] ?? 0) ^ 1;
  const data = Buffer.concat([salt, keys.subarray(2 * keyBytes), coded, code]);
  const name = Buffer.from(member.name);
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(51, 0);
  fields.writeUInt16LE(0x801, 2);
  fields.writeUInt16LE(99, 4);
  fields.writeUInt16LE(0x21, 8);
  fields.writeUInt32LE(version === 1 ? crc32(content) : 0, 10);
  fields.writeUInt32LE(data.length, 14);
  fields.writeUInt32LE(content.length, 18);
  fields.writeUInt16LE(name.length, 22);
  fields.writeUInt16LE(11, 24);
  return { fields, name, data };
}
