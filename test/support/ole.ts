const SECTOR = 512;
// Shorter streams would stand in a stream of their own; padded ones need not.
const SHORTEST_STREAM = 4096;
const [NONE, END, FAT] = [0xffff_ffff, 0xffff_fffe, 0xffff_fffd];

/** What an OLE file (MS-CFB, version 3) holds: streams by their paths, the storages on the way come of themselves. */
export type OleStreams = Readonly<Record<string, Buffer | string>>;

interface Entry {
  readonly name: string;
  readonly isStorage: boolean;
  readonly children: Entry[];
  readonly content: Buffer;
}

/** A compound file, as old Office documents, macro projects, mails of Outlook and installers are. */
export function ole(streams: OleStreams): Buffer {
  const root: Entry = { name: 'Root Entry', isStorage: true, children: [], content: Buffer.alloc(0) };
  for (const [path, content] of Object.entries(streams)) add(root, path.split('/'), Buffer.from(content));
  const entries = [root];
  for (const entry of entries) entries.push(...entry.children);
  const directorySectors = Math.ceil(entries.length / 4);
  const chains: number[] = [FAT];
  const chain = (sectors: number): number => {
    const first = chains.length;
    for (let n = 1; n <= sectors; n += 1) chains.push(n === sectors ? END : first + n);
    return sectors === 0 ? END : first;
  };
  const directoryStart = chain(directorySectors);
  const contents = entries.map((entry) => padded(entry.content, entry.isStorage ? 0 : SHORTEST_STREAM));
  const starts = contents.map((content) => chain(content.length / SECTOR));
  if (chains.length > SECTOR / 4) throw new Error('more than one sector of chains is not written');
  const fat = Buffer.alloc(SECTOR, 0xff);
  for (const [at, next] of chains.entries()) fat.writeUInt32LE(next, at * 4);
  const directory = Buffer.alloc(directorySectors * SECTOR);
  for (const [at, entry] of entries.entries()) {
    const siblings = entries.find((it) => it.children.includes(entry))?.children ?? [];
    const next = siblings[siblings.indexOf(entry) + 1];
    const record = directory.subarray(at * 128, at * 128 + 128);
    record.write(entry.name, 0, 62, 'utf16le');
    record.writeUInt16LE(2 * entry.name.length + 2, 64);
    record[66] = at === 0 ? 5 : entry.isStorage ? 1 : 2;
    record[67] = 1;
    const places = [undefined, next, entry.children[0]];
    for (const [n, it] of places.entries())
      record.writeUInt32LE(it === undefined ? NONE : entries.indexOf(it), 68 + 4 * n);
    record.writeUInt32LE(entry.isStorage ? 0 : starts[at]!, 116);
    record.writeUInt32LE(contents[at]!.length, 120);
  }
  return Buffer.concat([headerOf(directoryStart), fat, directory, ...contents]);
}

function add(parent: Entry, [name = '', ...rest]: readonly string[], content: Buffer): void {
  const isStorage = rest.length > 0;
  let entry = parent.children.find((it) => it.name === name);
  if (entry === undefined) {
    entry = { name, isStorage, children: [], content: isStorage ? Buffer.alloc(0) : content };
    parent.children.push(entry);
  }
  if (isStorage) add(entry, rest, content);
}

const padded = (content: Buffer, least: number): Buffer =>
  Buffer.concat([content], Math.max(least, Math.ceil(content.length / SECTOR) * SECTOR));

function headerOf(directoryStart: number): Buffer {
  const header = Buffer.alloc(SECTOR);
  Buffer.from('d0cf11e0a1b11ae1', 'hex').copy(header);
  for (const [at, value] of [
    [24, 0x3e],
    [26, 3],
    [28, 0xfffe],
    [30, 9],
    [32, 6],
  ] as const)
    header.writeUInt16LE(value, at);
  header.writeUInt32LE(1, 44);
  header.writeUInt32LE(directoryStart, 48);
  header.writeUInt32LE(SHORTEST_STREAM, 56);
  header.writeUInt32LE(END, 60);
  header.writeUInt32LE(END, 68);
  header.fill(0xff, 76);
  header.writeUInt32LE(0, 76);
  return header;
}

/** VBA source as a module's stream has it (MS-OVBA 2.4.1), in letters that are not repeated by reference. */
export function packedVba(source: string): Buffer {
  const parts: Buffer[] = [Buffer.from([1])];
  const text = Buffer.from(source, 'latin1');
  const CHUNK = 3600;
  for (let at = 0; at < text.length; at += CHUNK) {
    const plain = text.subarray(at, at + CHUNK);
    const packed: Buffer[] = [];
    for (let n = 0; n < plain.length; n += 8) packed.push(Buffer.from([0]), plain.subarray(n, n + 8));
    const body = Buffer.concat(packed);
    const header = Buffer.alloc(2);
    header.writeUInt16LE(0xb000 | (body.length - 1));
    parts.push(header, body);
  }
  return Buffer.concat(parts);
}
