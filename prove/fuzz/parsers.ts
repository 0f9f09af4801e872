import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { normalise } from '../../src/intake/normalise.js';
import { needsRandomAccess } from '../../src/s3/needs-random-access.js';
import { Spool } from '../../src/s3/spool.js';
import { ArchiveWalk } from '../../src/tasks/scan/archive/walk.js';
import { PatternError, RuleError } from '../../src/tasks/scan/secrets/errors.js';
import { emitPattern } from '../../src/tasks/scan/secrets/regex/emit.js';
import { parsePattern } from '../../src/tasks/scan/secrets/regex/parse.js';
import { loadRules } from '../../src/tasks/scan/secrets/rules/load.js';
import { tar, zip } from '../../test/support/archives.js';
import { bzip2, zstd, zstdSkippable } from '../../test/tasks/scan/archive/compressors.js';
import { aesZip } from '../../test/tasks/scan/archive/locked-zip.js';

/** One parser, what to begin with, and how it takes an input. What it throws that is no refusal of its own is a crash. */
export interface Parser {
  readonly seeds: readonly Buffer[];
  take(input: Buffer): Promise<void>;
}

const TEXT = 'some text of a file, long enough to be packed. '.repeat(20);
const password = 'pw';

/** Small seeds of every parser. They are made here, so that nothing binary lies in the repository. */
export async function parsers(): Promise<Readonly<Record<string, Parser>>> {
  const take = walker(mkdtempSync(join(tmpdir(), 'sallyport-fuzz-')));
  const member = { name: 'a.txt', content: TEXT };
  const tarred = await tar({ 'a.txt': TEXT, 'b/c.txt': 'short' });
  const text = (...seeds: string[]) => seeds.map((seed) => Buffer.from(seed));
  return {
    zip: {
      seeds: [
        zip([member, { name: 'b', content: 'stored', stored: true }]),
        zip([{ ...member, password }]),
        aesZip([{ ...member, password }]),
        zip([{ name: 'inner.zip', content: zip([member]) }]),
      ],
      take,
    },
    tar: { seeds: [tarred, await tar({ ['l'.repeat(150)]: TEXT })], take },
    gzip: { seeds: [gzipSync(TEXT), gzipSync(tarred), Buffer.concat([gzipSync('a'), gzipSync('b')])], take },
    bzip2: { seeds: [bzip2(TEXT), bzip2(tarred), Buffer.concat([bzip2('a'), bzip2('b')])], take },
    zstd: { seeds: [zstd(TEXT), Buffer.concat([zstdSkippable('x'), zstd(tarred)]), packedZstd()], take },
    pdf: { seeds: pdfs(), take },
    mail: { seeds: text(...mails()), take },
    toml: {
      seeds: text(
        'title = "t"\n[[rules]]\nid = "a"\ndescription = "d"\nregex = \'\'\'key_[a-z0-9]{20}\'\'\'\nkeywords = ["key_"]\nentropy = 3.1\n',
        '[extend]\nuseDefault = false\n[[rules]]\nid = "b"\nregex = "(x+)y"\nsecretGroup = 1\n[[rules.allowlists]]\nregexTarget = "line"\nregexes = ["z"]\npaths = ["a$"]\nstopwords = ["w"]\n',
      ),
      take: refusing(RuleError, (input) => void loadRules([{ name: 'fuzz.toml', toml: input.toString() }])),
    },
    regex: {
      seeds: text(
        '(?i)\\b(key|token)[\\s:=]{1,5}([a-z0-9_\\-]{16,64})(?:[\'"\\s]|$)',
        '(?P<name>\\x{41}[[:alpha:]]+?)(?s:.*)\\z',
        '[^\\d\\W]{2,}|(?-i:ABC)|\\Qa.b\\E',
      ),
      take: refusing(PatternError, (input) => void new RegExp(emitPattern(parsePattern(input.toString())))),
    },
    events: { seeds: text(...events()), take: async (input) => Promise.resolve(takeEvent(input)) },
  };
}

function walker(directory: string): Parser['take'] {
  return async (input) => {
    const spool = new Spool(directory, 64 * 1024 ** 2);
    const visitor = { open: () => ({ write: async () => {}, end: async () => {}, abort: () => undefined }) };
    const walk = new ArchiveWalk(visitor, {
      name: 'fuzz',
      spool,
      limits: { totalBytes: 64 * 1024 ** 2, wallMs: 5000 },
      passwords: () => [password],
      now: () => performance.now(),
    });
    const whole = needsRandomAccess(input) ? await spool.create() : undefined;
    await whole?.write(input);
    for (let at = 0; at < input.length; at += 300) await walk.write(input.subarray(at, at + 300));
    await walk.end(whole);
    await whole?.close();
    if (spool.usedBytes !== 0 || walk.budget.held !== 0) throw new Error('something is still held');
  };
}

function refusing(refusal: new (...args: never[]) => Error, parse: (input: Buffer) => void): Parser['take'] {
  return async (input) => {
    try {
      parse(input);
    } catch (error) {
      if (!(error instanceof refusal)) throw error;
    }
    return Promise.resolve();
  };
}

function takeEvent(input: Buffer): void {
  let body: unknown;
  try {
    body = JSON.parse(input.toString());
  } catch {
    return;
  }
  normalise(body);
}

/** A frame with a compressed block, as zstd 1.5 writes it. */
const packedZstd = () =>
  Buffer.from(
    '28b52ffd0468450100f0736f6d652074657874206f6620612066696c652c206c696e706167653b2e030060d3c01bb19b4c08182c12',
    'hex',
  );

function pdfs(): Buffer[] {
  const of = (dictionary: string, data: Buffer) =>
    Buffer.concat([
      Buffer.from(`%PDF-1.7\n1 0 obj << /Length ${data.length} ${dictionary} >>\nstream\n`),
      data,
      Buffer.from('\nendstream\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n'),
    ]);
  const packed = deflateSync(TEXT);
  return [
    of('/Filter /FlateDecode', packed),
    of('/Filter [/ASCIIHexDecode /FlateDecode]', Buffer.from(`${packed.toString('hex')}>`)),
    of('/Filter /FlateDecode /DecodeParms << /Predictor 15 /Columns 5 >>', packed),
    of('/Filter /LZWDecode', Buffer.from('800b6050220c0c8501', 'hex')),
    of('/Filter /RunLengthDecode', Buffer.from('02616263fe6480', 'hex')),
    of('/Filter /ASCII85Decode', Buffer.from('87cURD]i,"Ebo80~>')),
  ];
}

function mails(): string[] {
  const part = (encoding: string, body: string) =>
    `--b\r\nContent-Type: application/x; name="n"\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}\r\n`;
  const head = 'From: a\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n';
  const base64 = gzipSync(TEXT).toString('base64');
  return [
    `${head}${part('base64', base64)}${part('quoted-printable', 'a=3Db=\r\nc')}--b--\r\n`,
    `From x\r\n${head}${part('7bit', 'begin 644 u\r\n#86)C\r\n`\r\nend')}--b--\r\n\r\nFrom y\r\nSubject: z\r\n\r\nbody\r\n`,
    `${head}--b\r\nContent-Type: message/rfc822\r\n\r\n${head.replace('=b', '=c')}--c\r\n\r\nx\r\n--c--\r\n--b--\r\n`,
  ];
}

function events(): string[] {
  const s3 = { bucket: { name: 'b' }, object: { key: 'a%20b', size: 3, eTag: 'e', sequencer: '01' } };
  const record = {
    eventSource: 'aws:s3',
    eventName: 'ObjectCreated:Put',
    eventTime: '2026-01-01T00:00:00Z',
    s3,
  };
  const detail = { bucket: { name: 'b' }, object: { key: 'k', size: 1, etag: 'e' }, reason: 'PutObject' };
  const bridged = { source: 'aws.s3', 'detail-type': 'Object Created', time: '2026-01-01T00:00:00Z', detail };
  return [
    JSON.stringify({ Records: [record] }),
    JSON.stringify(bridged),
    JSON.stringify([bridged, { Records: [record] }]),
  ];
}
