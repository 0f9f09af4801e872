#!/usr/bin/env node
// Verifies an extract of Sallyport's audit record. It needs Node 20 or newer and nothing else, so that whoever does not
// trust the service can read it in five minutes and run it elsewhere:
//
//   node verify.mjs audit.jsonl [--key BASE64] [--checkpoint FILE]...
//
// An extract has a line for each event, with the hash that it was given when it was chained:
//   hash = SHA-256(hash of the event before ‖ RFC 8785 text of {action, actor, at, data, id, seq, subject})
// and lines for the signed checkpoints within it. `--key` is the public key that you know from elsewhere, and
// `--checkpoint` a checkpoint that was kept elsewhere: without them the file can only be compared with itself.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import process from 'node:process';

const FIELDS = ['action', 'actor', 'at', 'data', 'id', 'seq', 'subject'];
const SIGNED = ['at', 'chain', 'head', 'keyId', 'seq'];

const sha256 = (bytes) => createHash('sha256').update(bytes).digest();
// RFC 8785 of an object that holds strings and whole numbers only: its keys in order, and JSON's own text of each value.
const canonical = (value, keys) => JSON.stringify(Object.fromEntries(keys.map((key) => [key, value[key]])));
const hashOf = (before, event) => sha256(Buffer.concat([before, Buffer.from(canonical(event, FIELDS))]));
const genesisOf = (chain) => sha256(Buffer.from(JSON.stringify({ chain })));

class Bad extends Error {}

function publicKeyOf(base64) {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== 32 || bytes.toString('base64') !== base64) throw new Bad('is no Ed25519 public key');
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), bytes]);
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

function isSigned(checkpoint) {
  const signature = Buffer.from(checkpoint.signature, 'base64');
  // Another text of the same bytes is another file.
  if (signature.toString('base64') !== checkpoint.signature) return false;
  return verify(
    null,
    Buffer.from(canonical(checkpoint, SIGNED)),
    publicKeyOf(checkpoint.publicKey),
    signature,
  );
}

/** Follows an extract line by line. */
class Extract {
  constructor(trustedKey, known) {
    this.trustedKey = trustedKey;
    this.known = known;
    this.events = 0;
    this.checkpoints = 0;
    this.signedUpTo = 0;
  }

  take(line) {
    if (this.end !== undefined) throw new Bad('stands after the end of the extract');
    const value = parsed(line);
    switch (value.kind) {
      case 'extract':
        return this.begin(value);
      case 'event':
        return this.event(value);
      case 'checkpoint':
        return this.checkpoint(value);
      case 'end':
        return this.finish(value);
      default:
        throw new Bad('is no line of an extract');
    }
  }

  begin({ chain, from, before }) {
    if (this.chain !== undefined) throw new Bad('begins a second extract');
    if (from === 1 && before !== genesisOf(chain).toString('hex'))
      throw new Bad('does not begin where its chain begins');
    if (!Number.isSafeInteger(from) || from < 1 || !/^[0-9a-f]{64}$/.test(before))
      throw new Bad('is no beginning');
    this.chain = chain;
    this.from = from;
    this.seq = from - 1;
    this.head = Buffer.from(before, 'hex');
  }

  event(event) {
    this.begun();
    if (event.seq !== this.seq + 1)
      throw new Bad(`should be event ${this.seq + 1} of the chain, and is ${event.seq}`);
    const hash = hashOf(this.head, event);
    if (hash.toString('hex') !== event.hash)
      throw new Bad(`event ${event.seq} is not what was chained, or not in its place`);
    this.seq = event.seq;
    this.head = hash;
    this.events += 1;
    const kept = this.known.find(({ seq }) => seq === event.seq);
    if (kept !== undefined && kept.head !== event.hash)
      throw new Bad(`event ${event.seq} was another when the checkpoint was made that you kept`);
  }

  checkpoint(checkpoint) {
    this.begun();
    const { seq, head, chain, publicKey } = checkpoint;
    if (chain !== this.chain) throw new Bad('is a checkpoint of another chain');
    if (this.trustedKey !== undefined && publicKey !== this.trustedKey)
      throw new Bad(`checkpoint ${seq} is signed with another key than the one you know`);
    if (!isSigned(checkpoint)) throw new Bad(`checkpoint ${seq} has a false signature`);
    if (seq !== this.seq || head !== this.head.toString('hex'))
      throw new Bad(`event ${seq} was another when its checkpoint was signed`);
    this.checkpoints += 1;
    this.signedUpTo = seq;
    this.keyId = checkpoint.keyId;
    this.publicKey = publicKey;
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

  /** What only the whole shows. */
  close() {
    if (this.end === undefined) throw new Bad('the extract is cut off: its last line is missing');
    const beyond = this.known.find(({ seq }) => seq > this.seq);
    if (beyond !== undefined)
      throw new Bad(`the record ends at event ${this.seq}; the checkpoint you kept knows ${beyond.seq}`);
  }
}

function parsed(line) {
  let value;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Bad('is no JSON');
  }
  if (value === null || typeof value !== 'object') throw new Bad('is no line of an extract');
  // One text for one value: whatever else says the same was written by somebody else.
  if (JSON.stringify(value) !== line) throw new Bad('is not as it was written');
  return value;
}

/** Lines end with a line feed and nothing else; what is no UTF-8 was not written by Sallyport. */
async function* linesOf(file) {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest = '';
  for await (const chunk of createReadStream(file)) {
    rest += decoded(decoder, chunk);
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest + decoded(decoder) !== '') throw new Bad('the extract is cut off in the middle of a line');
}

function decoded(decoder, chunk) {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch {
    throw new Bad('is no UTF-8');
  }
}

function keptIn(file) {
  const value = JSON.parse(readFileSync(file, 'utf8'));
  if (!Number.isSafeInteger(value.seq) || !/^[0-9a-f]{64}$/.test(value.head))
    throw new Error(`${file}: is no checkpoint`);
  return value;
}

function argumentsOf(given) {
  const found = { known: [] };
  for (let at = 0; at < given.length; at += 1) {
    const one = given[at];
    if (one === '--key') found.key = given[(at += 1)];
    else if (one === '--checkpoint') found.known.push(keptIn(given[(at += 1)]));
    else if (one.startsWith('-') || found.file !== undefined) return undefined;
    else found.file = one;
  }
  return found.file === undefined ? undefined : found;
}

async function main() {
  const wanted = argumentsOf(process.argv.slice(2));
  if (wanted === undefined) {
    console.error('Usage: node verify.mjs FILE [--key BASE64] [--checkpoint FILE]...');
    return 2;
  }
  const extract = new Extract(wanted.key, wanted.known);
  let number = 0;
  try {
    for await (const line of linesOf(wanted.file)) {
      number += 1;
      extract.take(line);
    }
    number = 0;
    extract.close();
  } catch (error) {
    if (!(error instanceof Bad)) throw error;
    console.log(`NOT WHOLE: ${number === 0 ? '' : `line ${number}: `}${error.message}.`);
    return 1;
  }
  const { from, seq, events, checkpoints, signedUpTo, keyId, publicKey, head } = extract;
  console.log(
    `Whole: ${events} events (${from} to ${seq}), ${checkpoints} checkpoints. Head ${head.toString('hex')}.`,
  );
  if (signedUpTo < seq)
    console.log(`The last ${seq - Math.max(signedUpTo, from - 1)} events are under no checkpoint in here.`);
  if (wanted.key === undefined && publicKey !== undefined)
    console.log(
      `The key ${keyId} (${publicKey}) is taken from the file: compare it with one that you know, or give --key.`,
    );
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 2;
}
