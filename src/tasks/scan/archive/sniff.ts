/** What an object or member turns out to be by its first bytes. */
export type Container =
  /** We look inside. */
  | { readonly kind: 'zip' | 'tar' | 'gzip' }
  /** A container or compression that we cannot open; `name` is shown. */
  | { readonly kind: 'opaque'; readonly name: string };

/** Bytes that `sniffContainer` needs to tell everything it knows: a tar header and no more. */
export const SNIFF_BYTES = 512;

const MAGIC: readonly (readonly [hex: string, name: string])[] = [
  ['425a68', 'bzip2'],
  ['fd377a585a00', 'xz'],
  ['5d00008000', 'lzma'],
  ['4c5a4950', 'lzip'],
  ['377abcaf271c', '7z'],
  ['526172211a07', 'rar'],
  ['28b52ffd', 'zstd'],
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
  const known = MAGIC.find(([magic]) => hex.startsWith(magic));
  if (known !== undefined) return { kind: 'opaque', name: known[1] };
  // Skippable zstd frames: 0x184D2A50 to 0x184D2A5F, little endian.
  if (/^5.2a4d18/.test(hex)) return { kind: 'opaque', name: 'zstd' };
  if (
    head
      .subarray(2, 7)
      .toString('latin1')
      .match(/^-lh[0-9a-z]-$/) !== null
  ) {
    return { kind: 'opaque', name: 'lzh' };
  }
  if (isTarHeader(head)) return { kind: 'tar' };
  return undefined;
}

/** By the header's checksum, which also knows tars from before `ustar`. */
function isTarHeader(head: Buffer): boolean {
  if (head.length < 512 || head[0] === 0) return false;
  const stated = Number.parseInt(
    head
      .subarray(148, 156)
      .toString('latin1')
      .replace(/[\0 ].*$/, ''),
    8,
  );
  if (!Number.isInteger(stated) || stated === 0) return false;
  let sum = 0;
  for (let i = 0; i < 512; i += 1) sum += i >= 148 && i < 156 ? 0x20 : (head[i] ?? 0);
  return sum === stated;
}
