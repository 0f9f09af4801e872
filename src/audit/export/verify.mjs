#!/usr/bin/env node
// Verifies what Sallyport hands to auditors: the bundle of a report, or an extract of the audit record. It needs Node 20 or
// newer and nothing else, so that whoever does not trust the service can read it and run it elsewhere:
//
//   node verify.mjs [FOLDER | FILE.zip | audit.jsonl] [--key BASE64]... [--checkpoint FILE]...
//
// Without a name it verifies the bundle that is unpacked in this folder. `manifest.json` names each file of a bundle with
// its SHA-256, and `manifest.sig` is an Ed25519 signature over the manifest's bytes.
//
// An extract has a line for each event, with the hash that it was given when it was chained:
//   hash = SHA-256(hash of the event before ‖ RFC 8785 text of {action, actor, at, data, id, seq, subject})
// and lines for the signed checkpoints within it. `--key` is a public key that you know from elsewhere, and
// `--checkpoint` a checkpoint that was kept elsewhere: without them the files can only be compared with themselves. What
// they say nothing about, as an extract without a checkpoint within, is NOT CONFIRMED by them.
//
// What an event says of a person is not in its data, which has a commitment to it: SHA-256(salt ‖ value). Value and salt
// stand beside the event until they are erased; the event is the same without them. An erasure is an event itself and
// names the commitments by their beginnings.
//
// It ends with 0 for what is whole and confirmed by what was given, with 1 otherwise, and with 2 where it could not look.
import { createHash, createPublicKey, verify } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
} from 'node:fs';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { createInflateRaw } from 'node:zlib';

const FIELDS = ['action', 'actor', 'at', 'data', 'id', 'seq', 'subject'];
const SIGNED = ['at', 'chain', 'head', 'keyId', 'seq'];
// The fields of each line. What else stood there would be under no hash and no signature.
const LINES = {
  extract: ['before', 'chain', 'from'],
  event: [...FIELDS, 'hash'],
  checkpoint: [...SIGNED, 'publicKey', 'signature'],
  end: ['head', 'to'],
};
// In this order at the end of an archive; a manifest cannot name itself.
const OWN = ['manifest.json', 'manifest.sig'];
const TOLD = 16;
// Of a bundle: far more than any has.
const MAX_FILES = 100;
const MAX_MANIFEST = 1_000_000;
const MAX_LINE = 64_000_000;
const IS_NAME = /^(?:[A-Za-z0-9-]{1,40}\/)?[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/;

const sha256 = (bytes) => createHash('sha256').update(bytes).digest();
// RFC 8785 of an object that holds strings and whole numbers only: its keys in order, and JSON's own text of each value.
const canonical = (value, keys) => JSON.stringify(Object.fromEntries(keys.map((key) => [key, value[key]])));
const hashOf = (before, event) => sha256(Buffer.concat([before, Buffer.from(canonical(event, FIELDS))]));
const genesisOf = (chain) => sha256(Buffer.from(JSON.stringify({ chain })));

const isHash = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const hasFields = (value, fields) =>
  Object.keys(value).length === fields.length && fields.every((field) => Object.hasOwn(value, field));

class Bad extends Error {}

function publicKeyOf(base64) {
  const bytes = Buffer.from(String(base64), 'base64');
  if (bytes.length !== 32 || bytes.toString('base64') !== base64)
    throw new Bad('names a key that is no Ed25519 public key');
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), bytes]);
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

function isSigned(bytes, { signature, publicKey }) {
  const raw = Buffer.from(String(signature), 'base64');
  // Another text of the same bytes is another file.
  if (raw.toString('base64') !== signature) return false;
  return verify(null, bytes, publicKeyOf(publicKey), raw);
}

const isTrusted = (publicKey, trusted) => trusted.length === 0 || trusted.includes(publicKey);

/** What an event's data says; its text was chained. */
function dataOf({ seq, data }) {
  let value;
  try {
    value = JSON.parse(data);
  } catch {
    throw new Bad(`event ${seq} has data that is no JSON`);
  }
  if (!isObject(value)) throw new Bad(`event ${seq} has data that is no object`);
  return value;
}

/** By the name of the fact. Data that was recorded before there were any has none. */
function commitmentsIn({ personal }) {
  return isObject(personal) && Object.values(personal).every(isHash) ? personal : {};
}

/** Follows an extract line by line. */
class Extract {
  constructor(trusted, known) {
    this.trusted = trusted;
    this.keys = new Map();
    this.known = known;
    this.events = 0;
    this.checkpoints = 0;
    this.signedUpTo = 0;
    this.personal = 0;
    // Beginnings of commitments: of what is not shown, and of what erasures within this part tell of.
    this.hidden = new Set();
    this.told = new Set();
    this.forks = [];
  }

  get erased() {
    return [...this.hidden].filter((one) => this.told.has(one)).length;
  }

  /** Checkpoints that say nothing of this part. */
  get outside() {
    return this.known.filter(({ seq }) => seq < this.from - 1 || seq > this.seq);
  }

  take(line) {
    if (this.end !== undefined) throw new Bad('stands after the end of the extract');
    const value = parsed(line);
    const { kind, personal: _, ...rest } = value;
    const fields = Object.hasOwn(LINES, kind) ? LINES[kind] : undefined;
    if (fields === undefined) throw new Bad('is no line of an extract');
    if (!hasFields(kind === 'event' ? rest : value, kind === 'event' ? fields : [...fields, 'kind']))
      throw new Bad('is not as it was written');
    switch (kind) {
      case 'extract':
        return this.begin(value);
      case 'event':
        return this.event(value);
      case 'checkpoint':
        return this.checkpoint(value);
      case 'end':
        return this.finish(value);
    }
  }

  begin({ chain, from, before }) {
    if (this.chain !== undefined) throw new Bad('begins a second extract');
    if (!Number.isSafeInteger(from) || from < 1 || !isHash(before) || typeof chain !== 'string')
      throw new Bad('is no beginning');
    if (from === 1 && before !== genesisOf(chain).toString('hex'))
      throw new Bad('does not begin where its chain begins');
    const other = this.known.find((one) => one.chain !== undefined && one.chain !== chain);
    if (other !== undefined)
      throw new Bad(`is of the chain ${chain}; the checkpoint you kept is of ${other.chain}`);
    if (this.known.some(({ seq, head }) => seq === from - 1 && head !== before))
      throw new Bad(
        `event ${from - 1}, before this part, was another when the checkpoint was made that you kept`,
      );
    this.chain = chain;
    this.from = from;
    this.seq = from - 1;
    this.head = Buffer.from(before, 'hex');
  }

  event(event) {
    this.begun();
    if (FIELDS.some((field) => field !== 'seq' && typeof event[field] !== 'string'))
      throw new Bad('is not as it was written');
    if (event.seq !== this.seq + 1)
      throw new Bad(`should be event ${this.seq + 1} of the chain, and is ${event.seq}`);
    const hash = hashOf(this.head, event);
    if (hash.toString('hex') !== event.hash)
      throw new Bad(`event ${event.seq} is not what was chained, or not in its place`);
    const data = dataOf(event);
    this.compareFacts(event, commitmentsIn(data));
    this.seq = event.seq;
    this.head = hash;
    this.events += 1;
    if (event.action === 'backup.restored') this.forks.push(forkIn(event.seq, data));
    if (event.action === 'audit.erased' && Array.isArray(data.commitments))
      for (const one of data.commitments) this.told.add(one);
    if (this.known.some(({ seq, head }) => seq === event.seq && head !== event.hash))
      throw new Bad(
        `event ${event.seq} was another when the checkpoint was made that you kept${this.fork(event.seq)}`,
      );
  }

  compareFacts({ seq, personal }, commitments) {
    // One text for one value: where nothing is shown, the field is left out.
    if (personal !== undefined && (!isObject(personal) || Object.keys(personal).length === 0))
      throw new Bad(`event ${seq} is not as it was written`);
    for (const [field, opening] of Object.entries(personal ?? {})) {
      const { salt, value } = isObject(opening) ? opening : {};
      const isOpening =
        typeof value === 'string' &&
        typeof salt === 'string' &&
        // Another text of the same bytes is another file.
        /^[0-9a-f]{32}$/.test(salt) &&
        Object.keys(opening).join() === 'salt,value';
      if (!isOpening) throw new Bad(`event ${seq} is not as it was written`);
      const own = Object.hasOwn(commitments, field) ? commitments[field] : undefined;
      if (own !== sha256(Buffer.concat([Buffer.from(salt, 'hex'), Buffer.from(value)])).toString('hex'))
        throw new Bad(`event ${seq} says something else of a person than was recorded (${field})`);
      this.personal += 1;
    }
    for (const [field, commitment] of Object.entries(commitments))
      if (!Object.hasOwn(personal ?? {}, field)) this.hidden.add(commitment.slice(0, TOLD));
  }

  checkpoint(checkpoint) {
    this.begun();
    const { seq, head, chain, publicKey } = checkpoint;
    if (chain !== this.chain) throw new Bad('is a checkpoint of another chain');
    if (!isTrusted(publicKey, this.trusted))
      throw new Bad(`checkpoint ${seq} is signed with another key than the one you know`);
    if (!isSigned(Buffer.from(canonical(checkpoint, SIGNED)), checkpoint))
      throw new Bad(`checkpoint ${seq} has a false signature`);
    if (seq !== this.seq || head !== this.head.toString('hex'))
      throw new Bad(`event ${seq} was another when its checkpoint was signed`);
    this.checkpoints += 1;
    this.signedUpTo = seq;
    this.keys.set(publicKey, checkpoint.keyId);
  }

  finish({ to, head }) {
    this.begun();
    if (to !== this.seq || head !== this.head.toString('hex'))
      throw new Bad('is another end than that of its events');
    this.end = to;
  }

  begun() {
    if (this.chain === undefined) throw new Bad('stands before the beginning');
  }

  /** Why a place may be another than somebody remembers. */
  fork(seq) {
    const fork = this.forks.find(({ after }) => after < seq);
    return fork === undefined ? '' : `; ${fork.words}`;
  }
}

/** A restore from a backup: the record goes on behind an earlier event than the last one that there had been. */
function forkIn(seq, { seq: after, backupAt }) {
  const words = `event ${seq} tells of a restore from a backup of ${backupAt}: what had been recorded behind event ${after} before it is not here`;
  return { after, words };
}

function parsed(line) {
  let value;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Bad('is no JSON');
  }
  if (!isObject(value)) throw new Bad('is no line of an extract');
  // One text for one value: whatever else says the same was written by somebody else.
  if (JSON.stringify(value) !== line) throw new Bad('is not as it was written');
  return value;
}

/** Lines end with a line feed and nothing else. As bytes, so that each line is at fault for its own alone. */
async function* linesOf(chunks) {
  let begun = [];
  let length = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      yield Buffer.concat([...begun, chunk.subarray(from, at)]);
      begun = [];
      length = 0;
      from = at + 1;
    }
    if (from === chunk.length) continue;
    begun.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > MAX_LINE) throw unfinished('is longer than any line of an extract');
  }
  if (length > 0) throw unfinished('the extract is cut off in the middle of a line');
}

/** Of a line that was not counted yet. */
const unfinished = (message) => Object.assign(new Bad(message), { isBeforeLine: true });

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decoded(bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    // What is none was not written by Sallyport.
    throw new Bad('is no UTF-8');
  }
}

/** @throws Bad with the number of the line. */
async function followed(chunks, { keys, known }) {
  const extract = new Extract(keys, known);
  let number = 0;
  try {
    for await (const line of linesOf(chunks)) {
      number += 1;
      extract.take(decoded(line));
    }
  } catch (error) {
    if (error instanceof Bad)
      throw new Bad(`line ${number + (error.isBeforeLine ? 1 : 0)}: ${error.message}`);
    throw error;
  }
  if (extract.end === undefined) throw new Bad('the extract is cut off: its last line is missing');
  return extract;
}

/** The files of an unpacked bundle by their names, `/` between folder and file. */
class Folder {
  constructor(path) {
    this.path = path;
    this.files = new Map();
    this.list('');
  }

  list(prefix) {
    for (const name of readdirSync(join(this.path, prefix))) {
      if (this.files.size >= MAX_FILES) throw new Bad('there are more files than a bundle has');
      const file = lstatSync(join(this.path, prefix, name));
      if (file.isDirectory() && prefix === '') this.list(`${name}/`);
      else if (file.isFile()) this.files.set(prefix + name, file.size);
      else throw new Bad(`${prefix}${name} is no file`);
    }
  }

  chunks(name) {
    return createReadStream(join(this.path, name));
  }

  async compareWith() {}
}

/**
 * The files of an archive that Sallyport packed, and no other: one after the other from its first byte to its directory,
 * which says the same of each as stands before it. So none hides behind another, overlaps it or is left out.
 */
class Archive {
  constructor(path) {
    this.path = path;
    this.files = new Map();
    this.places = new Map();
    const handle = openSync(path, 'r');
    try {
      this.list((at, length) => bytesAt(handle, at, length), statSync(path).size);
    } finally {
      closeSync(handle);
    }
  }

  list(read, size) {
    if (size < 22) throw new Bad('the archive is cut off');
    const end = read(size - 22, 22);
    const [count, length, start] = [end.readUInt16LE(10), end.readUInt32LE(12), end.readUInt32LE(16)];
    const isEnd =
      end.readUInt32LE(0) === 0x06054b50 &&
      end.readUInt32LE(4) === 0 &&
      end.readUInt16LE(8) === count &&
      end.readUInt16LE(20) === 0 &&
      start + length === size - 22;
    if (!isEnd) throw new Bad('the archive is cut off, or its end is not as it was written');
    if (count > MAX_FILES || length > MAX_FILES * 200)
      throw new Bad('there are more files than a bundle has');
    const directory = read(start, length);
    let [at, place] = [0, 0];
    for (let index = 0; index < count; index += 1) {
      const entry = entryAt(directory, at);
      const { name, packed, bytes, method, header } = entry;
      if (this.files.has(name)) throw new Bad(`${name} is there twice`);
      if (entry.place !== place || place + header.length + packed + 16 > start)
        throw new Bad(`${name}: is not in its place in the archive`);
      const tail = read(place + header.length + packed, 16);
      if (!read(place, header.length).equals(header) || !tail.equals(entry.tail))
        throw new Bad(`${name}: what the archive says of it is not as it was written`);
      this.files.set(name, bytes);
      this.places.set(name, { place, from: place + header.length, packed, method });
      place += header.length + packed + 16;
      at += entry.length;
    }
    if (at !== length || place !== start) throw new Bad('the archive holds more than its files');
    // What stands before them is under the manifest's hash of the archive, and nothing may stand behind them.
    const last = [...this.files.keys()].slice(-OWN.length);
    if (last.join() !== OWN.join()) throw new Bad(`the archive does not end with ${OWN.join(' and ')}`);
    for (const name of OWN)
      if (this.places.get(name).method !== 0) throw new Bad(`${name} is not as it was packed`);
  }

  chunks(name) {
    const { from, packed, method } = this.places.get(name);
    if (packed === 0) return [];
    const stored = createReadStream(this.path, { start: from, end: from + packed - 1 });
    if (method === 0) return stored;
    const inflate = createInflateRaw();
    stored.on('error', (error) => inflate.destroy(error));
    return stored.pipe(inflate);
  }

  /** Other bits may say the same: what was packed is compared, too. */
  async compareWith({ bytes, sha256: wanted }) {
    const { place } = this.places.get('manifest.json');
    const all = createHash('sha256');
    if (place > 0)
      for await (const chunk of createReadStream(this.path, { end: place - 1 })) all.update(chunk);
    if (place !== bytes || all.digest('hex') !== wanted)
      throw new Bad('the files are whole, but packed by another program: unpack them and verify the folder');
  }
}

function bytesAt(handle, at, length) {
  const bytes = Buffer.alloc(length);
  if (readSync(handle, bytes, 0, length, at) !== length) throw new Bad('the archive is cut off');
  return bytes;
}

/** An entry of an archive's directory, and what must stand before and behind the file that it tells of. */
function entryAt(directory, at) {
  const fixed = directory.subarray(at, at + 46);
  if (fixed.length < 46 || fixed.readUInt32LE(0) !== 0x02014b50) throw new Bad('the directory is cut off');
  const nameLength = fixed.readUInt16LE(28);
  const name = directory.subarray(at + 46, at + 46 + nameLength).toString('latin1');
  if (name.length !== nameLength || !IS_NAME.test(name)) throw new Bad('a file has a name that none has');
  const method = fixed.readUInt16LE(10);
  const isPlain =
    fixed.readUInt32LE(4) === 0x0014_0014 &&
    fixed.readUInt16LE(8) === 8 &&
    fixed.readUInt32LE(12) === 0x0021_0000 &&
    fixed.subarray(30, 42).every((byte) => byte === 0);
  if (!isPlain || (method !== 0 && method !== 8))
    throw new Bad(`${name}: what the archive says of it is not as it was written`);
  const header = Buffer.alloc(30 + nameLength);
  header.writeUInt32LE(0x04034b50, 0);
  fixed.copy(header, 4, 6, 16);
  header.writeUInt16LE(nameLength, 26);
  header.write(name, 30, 'latin1');
  const tail = Buffer.alloc(16);
  tail.writeUInt32LE(0x08074b50, 0);
  fixed.copy(tail, 4, 16, 28);
  const [packed, bytes, place] = [20, 24, 42].map((offset) => fixed.readUInt32LE(offset));
  return { name, method, packed, bytes, place, header, tail, length: 46 + nameLength };
}

/** A small file as a whole. */
async function contentOf(files, name) {
  const size = files.files.get(name);
  if (size === undefined) throw new Bad(`${name} is missing`);
  if (size > MAX_MANIFEST) throw new Bad(`${name} is longer than any`);
  const chunks = [];
  for await (const chunk of limited(files, name, size)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The bytes of a file, never more of them than it has. */
async function* limited(files, name, size) {
  let count = 0;
  try {
    for await (const chunk of files.chunks(name)) {
      count += chunk.length;
      if (count > size) throw new Bad(`${name} is longer than it should be`);
      yield chunk;
    }
  } catch (error) {
    if (String(error.code).startsWith('Z_')) throw new Bad(`${name} is not as it was packed`);
    throw error;
  }
  if (count < size) throw new Bad(`${name} is cut off`);
}

/** What a manifest says, once its signature holds. */
function manifestOf(bytes, signed, trusted) {
  let said;
  try {
    said = JSON.parse(bytes.toString());
  } catch {
    throw new Bad('manifest.json is no JSON');
  }
  const isText = (...values) => values.every((value) => typeof value === 'string');
  const { files, zip, chain, key } = said ?? {};
  const isOurs =
    said?.schema === 'sallyport.bundle/1' &&
    Array.isArray(files) &&
    files.every((one) => isText(one?.name, one?.sha256) && Number.isSafeInteger(one.bytes)) &&
    isText(said.reportId, said.label, said.generatedAt, said.by, zip?.sha256, chain?.id, chain?.head) &&
    isText(key?.id, key?.publicKey);
  if (!isOurs) throw new Bad('manifest.json is no manifest of a bundle');
  if (!isTrusted(key.publicKey, trusted))
    throw new Bad('manifest.json is signed with another key than the one you know');
  if (!signed.endsWith('\n') || !isSignedManifest(bytes, signed.slice(0, -1), key.publicKey))
    throw new Bad('manifest.sig is no signature of manifest.json by the key that it names');
  return said;
}

function isSignedManifest(bytes, signature, publicKey) {
  try {
    return isSigned(bytes, { signature, publicKey });
  } catch (error) {
    throw error instanceof Bad ? new Bad(`manifest.json ${error.message}`) : error;
  }
}

async function verifyBundle(files, { keys, known }) {
  const signature = (await contentOf(files, 'manifest.sig')).toString('latin1');
  const manifest = manifestOf(await contentOf(files, 'manifest.json'), signature, keys);
  const named = new Set(manifest.files.map(({ name }) => name));
  if (named.size !== manifest.files.length) throw new Bad('manifest.json names a file twice');
  for (const name of files.files.keys())
    if (!named.has(name) && !OWN.includes(name)) throw new Bad(`${name} is no file of this bundle`);
  for (const { name, bytes, sha256: wanted } of manifest.files) {
    const size = files.files.get(name);
    if (size === undefined) throw new Bad(`${name} is missing`);
    if (size !== bytes) throw new Bad(`${name} has ${size} bytes, and had ${bytes}`);
    const hash = createHash('sha256');
    for await (const chunk of limited(files, name, bytes)) hash.update(chunk);
    if (hash.digest('hex') !== wanted) throw new Bad(`${name} is not what was signed`);
  }
  await files.compareWith(manifest.zip);
  const { chain } = manifest;
  if (!named.has('audit.jsonl')) throw new Bad('audit.jsonl is missing');
  let extract;
  try {
    const chunks = limited(files, 'audit.jsonl', files.files.get('audit.jsonl'));
    extract = await followed(chunks, { keys, known });
  } catch (error) {
    throw error instanceof Bad ? new Bad(`audit.jsonl: ${error.message}`) : error;
  }
  const { from, seq, head } = extract;
  if (
    extract.chain !== chain.id ||
    from !== chain.from ||
    seq !== chain.to ||
    head.toString('hex') !== chain.head
  )
    throw new Bad('audit.jsonl is another part of the record than the manifest names');
  return { manifest, extract, keys: new Map([...extract.keys, [manifest.key.publicKey, manifest.key.id]]) };
}

/** An extract's end is nobody's signed word, as a bundle's is: what is known behind it may have been cut off. */
async function verifyExtract(chunks, trusted) {
  const extract = await followed(chunks, trusted);
  const beyond = trusted.known.find(({ seq }) => seq > extract.seq);
  if (beyond !== undefined)
    throw new Bad(
      `the extract ends at event ${extract.seq}; the checkpoint you kept knows ${beyond.seq}${extract.fork(beyond.seq)}`,
    );
  return { extract, keys: extract.keys };
}

function keptIn(file) {
  let value;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw error instanceof SyntaxError ? new Error(`${file}: is no checkpoint`) : error;
  }
  if (!isObject(value) || !Number.isSafeInteger(value.seq) || value.seq < 1 || !isHash(value.head))
    throw new Error(`${file}: is no checkpoint`);
  return value;
}

function argumentsOf(given) {
  const found = { keys: [], known: [] };
  for (let at = 0; at < given.length; at += 1) {
    const one = given[at];
    if (one === '--key' && given[at + 1] !== undefined) found.keys.push(given[(at += 1)]);
    else if (one === '--checkpoint' && given[at + 1] !== undefined)
      found.known.push(keptIn(given[(at += 1)]));
    else if (one.startsWith('-') || found.path !== undefined) return undefined;
    else found.path = one;
  }
  return { path: '.', ...found };
}

/** Nothing in a file writes on the reader's terminal. */
const say = (text) => console.log(text.replaceAll(/[\p{C}\u2028\u2029]/gu, '?'));

/** What was given and says nothing about this; loudly, because whoever gave it relies on it. */
function unconfirmed({ extract: { outside, from, seq: to }, keys }, trusted) {
  const found = outside.map(
    ({ seq }) =>
      `the checkpoint of event ${seq} that you kept lies outside of this part (${from} to ${to}): it was not compared`,
  );
  if (trusted.length > 0 && keys.size === 0)
    found.push(
      'the key that you gave confirms nothing here: no checkpoint that it signed is within this part',
    );
  return found;
}

function sayExtract(extract, signed = '') {
  const { from, seq, events, checkpoints, signedUpTo, head, personal, erased, hidden, forks } = extract;
  say(
    `Whole: ${events} events (${from} to ${seq}), ${checkpoints} checkpoints. Head ${head.toString('hex')}.`,
  );
  const untold = hidden.size - erased;
  if (personal + hidden.size > 0)
    say(
      `Facts about people: ${personal} as they were recorded, ${erased} erased${
        untold === 0
          ? ''
          : `, ${untold} not shown and not erased by anybody within this part: erased after it, or left out`
      }.`,
    );
  for (const { words } of forks) say(`Note: ${words}.`);
  if (signedUpTo < seq)
    say(`The last ${seq - Math.max(signedUpTo, from - 1)} events are under no checkpoint in here${signed}.`);
  if (checkpoints === 0 && signed === '')
    say('Nothing in here is signed: which chain it is of, and that it was ever recorded, are its own words.');
}

function sayBundle({ manifest, extract }) {
  const { label, reportId, generatedAt, by, software, files, previous, key } = manifest;
  say(`Whole: report ${label} (${reportId}), ${files.length} files, signed by ${key.id}.`);
  say(`It says that it was made at ${generatedAt} for ${by} by Sallyport ${software}.`);
  if (previous !== null) say(`The report before it: ${previous?.reportId}, SHA-256 ${previous?.sha256}.`);
  sayExtract(extract, ', but the signed manifest names the last of them');
  say(
    'This shows that nothing was changed since it was signed. It does not show that what was recorded is true, or',
  );
  say('that the time is right: those are the words of the service that owns the key.');
}

function sayKeys(keys) {
  for (const [publicKey, keyId] of keys)
    say(
      `The key ${keyId} (${publicKey}) is taken from the file: compare it with one that you know, or give --key.`,
    );
}

const isArchive = (path) => {
  const handle = openSync(path, 'r');
  try {
    const first = Buffer.alloc(4);
    return (
      path.endsWith('.zip') ||
      (readSync(handle, first, 0, 4, 0) === 4 && first.toString('latin1') === 'PK\x03\x04')
    );
  } finally {
    closeSync(handle);
  }
};

async function main() {
  const wanted = argumentsOf(process.argv.slice(2));
  if (wanted === undefined) {
    console.error(
      'Usage: node verify.mjs [FOLDER | FILE.zip | audit.jsonl] [--key BASE64]... [--checkpoint FILE]...',
    );
    return 2;
  }
  const { path } = wanted;
  const isFolder = statSync(path).isDirectory();
  let found;
  try {
    found =
      isFolder || isArchive(path)
        ? await verifyBundle(isFolder ? new Folder(path) : new Archive(path), wanted)
        : await verifyExtract(createReadStream(path), wanted);
  } catch (error) {
    if (!(error instanceof Bad)) throw error;
    say(`NOT WHOLE: ${error.message}.`);
    return 1;
  }
  const missed = unconfirmed(found, wanted.keys);
  for (const what of missed) say(`NOT CONFIRMED: ${what}.`);
  if (found.manifest === undefined) sayExtract(found.extract);
  else sayBundle(found);
  if (wanted.keys.length === 0) sayKeys(found.keys);
  return missed.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 2;
}
