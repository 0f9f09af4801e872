import { isOpenPgpMessage } from './openpgp.js';

/** What an object or member turns out to be by its first bytes. */
export type Container =
  /** We look inside. */
  | { readonly kind: 'zip' | 'tar' | 'gzip' | 'bzip2' | 'zstd' }
  /** A container or compression that we cannot open; `name` is shown. */
  | { readonly kind: 'opaque'; readonly name: string; readonly isEncrypted?: boolean };

/** Bytes that `sniffContainer` needs to tell everything it knows: a tar header and no more. */
export const SNIFF_BYTES = 512;

const MAGIC: readonly (readonly [hex: string, name: string])[] = [
  ['fd377a585a00', 'xz'],
  ['5d00008000', 'lzma'],
  ['4c5a4950', 'lzip'],
  ['377abcaf271c', '7z'],
  ['526172211a07', 'rar'],
  ['04224d18', 'lz4'],
  ['02214c18', 'lz4'],
  ['1f9d', 'compress'],
  ['1fa0', 'compress'],
  ['4d534346', 'cab'],
  ['60ea', 'arj'],
  ['213c617263683e0a', 'ar'],
  ['edabeedb', 'rpm'],
  ['303730373031', 'cpio'],
  ['303730373032', 'cpio'],
  ['303730373037', 'cpio'],
  ['78617221', 'xar'],
  ['68737173', 'squashfs'],
  ['4d5357494d000000', 'wim'],
  ['ff060000734e61507059', 'snappy'],
  ['894c5a4f000d0a1a0a', 'lzop'],
  ['4c525a49', 'lrzip'],
  ['7a505351', 'zpaq'],
  ['62767832', 'lzfse'],
  // zlib's own header, without a name of its own; 785e is text (x^).
  ['7801', 'zlib'],
  ['789c', 'zlib'],
  ['78da', 'zlib'],
  ['789f3e22', 'tnef'],
  ['73717368', 'squashfs'],
  ['49545346', 'chm'],
  ['50415231', 'parquet'],
  ['4f626a01', 'avro'],
  ['89484446', 'hdf5'],
  ['514649fb', 'qcow2'],
  ['4b444d56', 'vmdk'],
  // Of versions 2 and 3; the packs of old games have another number there.
  ['5041434b00000002', 'git pack'],
  ['5041434b00000003', 'git pack'],
  // `# v2 git bundle` and `# v3 git bundle`, a line each.
  ['23207632206769742062756e646c650a', 'git bundle'],
  ['23207633206769742062756e646c650a', 'git bundle'],
];

const ENCRYPTED: readonly (readonly [start: Buffer, name: string])[] = [
  [Buffer.from('Salted__'), 'an openssl file'],
  [Buffer.from('age-encryption.org/'), 'an age file'],
  [Buffer.from('-----BEGIN AGE ENCRYPTED FILE'), 'an age file'],
  [Buffer.from('-----BEGIN PGP MESSAGE'), 'a PGP message'],
  [Buffer.from('$ANSIBLE_VAULT;'), 'an Ansible vault'],
  [Buffer.from('4c554b53babe', 'hex'), 'a LUKS volume'],
  [Buffer.from('03d9a29a', 'hex'), 'a KeePass database'],
];

/**
 * Tells a container by its content; names and content types are the uploader's word and are not asked.
 * `undefined`: not a container that we know of, its bytes are what there is to see.
 */
export function sniffContainer(head: Buffer): Container | undefined {
  const hex = head.subarray(0, 16).toString('hex');
  if (hex.startsWith('504b0304') || hex.startsWith('504b0506') || hex.startsWith('504b0708')) {
    return { kind: 'zip' };
  }
  if (hex.startsWith('1f8b')) return { kind: 'gzip' };
  if (hex.startsWith('425a68')) return { kind: 'bzip2' };
  // Frames, and skippable ones: 0x184D2A50 to 0x184D2A5F, little endian.
  if (/^(28b52ffd|5.2a4d18)/.test(hex)) return { kind: 'zstd' };
  if (/^(1e|2[2-7])b52ffd/.test(hex)) return { kind: 'opaque', name: 'zstd of before 1.0' };
  const known = MAGIC.find(([magic]) => hex.startsWith(magic));
  if (known !== undefined) return { kind: 'opaque', name: known[1] };
  const sealed = ENCRYPTED.find(([start]) => head.subarray(0, start.length).equals(start));
  if (sealed !== undefined) return { kind: 'opaque', name: sealed[1], isEncrypted: true };
  // Flash with its content in zlib or LZMA, and its version behind the mark.
  if (/^(43|5a)5753[0-1]/.test(hex)) return { kind: 'opaque', name: 'swf' };
  if (
    head
      .subarray(2, 7)
      .toString('latin1')
      .match(/^-lh[0-9a-z]-$/) !== null
  ) {
    return { kind: 'opaque', name: 'lzh' };
  }
  if (/^=ybegin (part|line)=\d/.test(head.toString('latin1', 0, 20))) return { kind: 'opaque', name: 'yEnc' };
  if (isTarHeader(head)) return { kind: 'tar' };
  if (isOpenPgpMessage(head)) return { kind: 'opaque', name: 'a PGP message', isEncrypted: true };
  return undefined;
}

/**
 * By the header's checksum, which also knows tars from before `ustar`. All the ways to write it that some reader takes:
 * with spaces before it, as a binary number, and added up of signed bytes.
 */
function isTarHeader(head: Buffer): boolean {
  if (head.length < 512) return false;
  const field = head.subarray(148, 156);
  const digits = /^[ \0]*([0-7]+)/.exec(field.toString('latin1'))?.[1];
  const stated = (field[0] ?? 0) >= 0x80 ? field.readUInt32BE(4) : Number.parseInt(digits ?? '', 8);
  if (!Number.isInteger(stated) || stated === 0) return false;
  let sum = 0;
  let signedSum = 0;
  for (let i = 0; i < 512; i += 1) {
    const byte = i >= 148 && i < 156 ? 0x20 : (head[i] ?? 0);
    sum += byte;
    signedSum += byte > 127 ? byte - 256 : byte;
  }
  return sum === stated || signedSum === stated;
}
