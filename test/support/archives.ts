import { crc32, deflateRawSync } from 'node:zlib';
import { pack } from 'tar-stream';

/** One member of a test's zip, and what is wrong with it. */
export interface ZipMember {
  readonly name: string;
  readonly content: Buffer | string;
  readonly stored?: boolean;
  /** Encrypts it with the old PKWARE scheme. */
  readonly password?: string;
  /** What the local header says instead of the truth. */
  readonly local?: { readonly name?: string; readonly method?: number; readonly flags?: number };
  /** What the directory says instead of the truth. */
  readonly listed?: { readonly unpackedBytes?: number; readonly crc?: number; readonly method?: number };
  /** Bytes behind its packed content that the sizes in the headers include. */
  readonly after?: Buffer;
  /** Leaves it out of the directory. */
  readonly hidden?: boolean;
}

/** A zip as the specification wants it, except where its members ask for something else. */
export function zip(
  members: readonly ZipMember[],
  options: { comment?: string; before?: Buffer } = {},
): Buffer {
  const parts: Buffer[] = options.before === undefined ? [] : [options.before];
  const directory: Buffer[] = [];
  let at = options.before?.length ?? 0;
  for (const member of members) {
    const { local, listed } = headersOf(member, at);
    parts.push(local);
    at += local.length;
    if (member.hidden !== true) directory.push(listed);
  }
  const listing = Buffer.concat(directory);
  const comment = Buffer.from(options.comment ?? '', 'latin1');
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06_05_4b_50, 0);
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(listing.length, 12);
  end.writeUInt32LE(at, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, listing, end, comment]);
}

/** A tar of these files. */
export async function tar(files: Readonly<Record<string, Buffer | string>>): Promise<Buffer> {
  const stream = pack();
  for (const [name, content] of Object.entries(files)) stream.entry({ name }, Buffer.from(content));
  stream.finalize();
  const parts: Buffer[] = [];
  for await (const part of stream as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

function headersOf(member: ZipMember, offset: number): { local: Buffer; listed: Buffer } {
  const content = Buffer.from(member.content);
  const method = member.stored === true ? 0 : 8;
  const packed = method === 0 ? content : deflateRawSync(content);
  const crc = crc32(content);
  const sealed = member.password === undefined ? packed : encrypt(packed, member.password, crc);
  const data = Buffer.concat([sealed, member.after ?? Buffer.alloc(0)]);
  const flags = 0x800 | (member.password === undefined ? 0 : 1);
  const header = (
    name: string,
    say: { method: number; flags: number; crc: number; unpackedBytes: number },
  ) => {
    const nameBytes = Buffer.from(name);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(say.flags, 2);
    fields.writeUInt16LE(say.method, 4);
    fields.writeUInt16LE(0x21, 8);
    fields.writeUInt32LE(say.crc, 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(say.unpackedBytes, 18);
    fields.writeUInt16LE(nameBytes.length, 22);
    return { fields, nameBytes };
  };
  const truth = { method, flags, crc, unpackedBytes: content.length };
  const first = header(member.local?.name ?? member.name, { ...truth, ...member.local });
  const second = header(member.name, { ...truth, ...member.listed });
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(offset, 10);
  return {
    local: Buffer.concat([Buffer.from('504b0304', 'hex'), first.fields, first.nameBytes, data]),
    listed: Buffer.concat([Buffer.from('504b01021400', 'hex'), second.fields, rest, second.nameBytes]),
  };
}

/** PKWARE's traditional encryption, section 6.1 of the zip specification. */
function encrypt(plain: Buffer, password: string, crc: number): Buffer {
  const keys = [0x12345678, 0x23456789, 0x34567890];
  const table = Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k += 1) c = (c & 1) === 0 ? c >>> 1 : 0xedb88320 ^ (c >>> 1);
    return c >>> 0;
  });
  const step = (value: number, byte: number) => ((table[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8)) >>> 0;
  const update = (byte: number) => {
    keys[0] = step(keys[0] ?? 0, byte);
    keys[1] = (Math.imul(((keys[1] ?? 0) + (keys[0] & 0xff)) >>> 0, 134_775_813) + 1) >>> 0;
    keys[2] = step(keys[2] ?? 0, keys[1] >>> 24);
  };
  for (const byte of Buffer.from(password)) update(byte);
  // Twelve bytes of salt, the last of which lets a reader check the password.
  const salted = Buffer.concat([Buffer.alloc(11, 7), Buffer.from([crc >>> 24]), plain]);
  return Buffer.from(
    salted.map((byte) => {
      const t = ((keys[2] ?? 0) | 2) & 0xffff;
      const cipher = byte ^ ((Math.imul(t, t ^ 1) >>> 8) & 0xff);
      update(byte);
      return cipher;
    }),
  );
}
