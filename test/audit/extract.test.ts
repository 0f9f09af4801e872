import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Keyring } from '../../src/access/keyring.js';
import { AuditPlaces } from '../../src/audit/anchors/places.js';
import { appendAudit } from '../../src/audit/audit.js';
import { AuditCheckpoints } from '../../src/audit/chain/checkpoints.js';
import { chained, genesisOf } from '../../src/audit/chain/record.js';
import { AuditSequencer } from '../../src/audit/chain/sequencer.js';
import { Erasure } from '../../src/audit/personal/erasure.js';
import { extractLines } from '../../src/audit/export/extract.js';
import { verifierText } from '../../src/audit/export/verifier.js';
import { Database } from '../../src/database/database.js';
import { OutboxBell } from '../../src/outbound/outbox-bell.js';
import { PostgresOutbox } from '../../src/outbound/postgres-outbox.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';
import { verifyProgram } from '../support/verify-program.js';

const START = Date.parse('2026-03-02T08:00:00Z');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-extract-'));
const verifier = join(folder, 'verify.mjs');

let db: Database;
let checkpoints: AuditCheckpoints;
beforeAll(async () => {
  const test = await testDatabase();
  await test.truncate();
  db = new Database(test.url);
  const clock = new FakeClock(START);
  const keyring = await Keyring.open(db, randomBytes(32), clock);
  const outbox = new PostgresOutbox(clock, new OutboxBell());
  const places = new AuditPlaces({ AUDIT_BUCKET: 'anchors', AUDIT_TO: [], REPORT_TO: [], embeddedS3: false });
  checkpoints = new AuditCheckpoints(db, clock, keyring, outbox, places);
  const sequencer = new AuditSequencer(pino({ level: 'silent' }), db, clock, checkpoints);
  const erasure = new Erasure(db, clock, []);
  // Signed after 40 and after 70; the last five are not.
  for (const count of [40, 30, 5]) {
    await record(count - 1);
    // Of the first forty ten reasons: they are erased, and the later ones stand.
    if (count === 40) await erasure.erase('user:alice', 'asked for', 'user:admin');
    else await record(1);
    await sequencer.turn();
    clock.advance(count === 30 ? 1000 : 3_600_000);
  }
  writeFileSync(verifier, verifierText());
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await db.close();
});

const record = (count: number): Promise<void> =>
  appendAudit(
    db,
    Array.from({ length: count }, (_, n) => ({
      at: START + n,
      actor: 'user:alice',
      action: 'review.decided',
      subject: `object:${n}/\u2028line\n"quoted" \u202egpj.exe 日本語 🔒`,
      data: { outcome: 'release', n, ...(n % 4 === 0 && { reason: 'It is Ana’s, "quoted"\u2028日本語' }) },
    })),
  );
async function extract(from = 1, to = 75): Promise<string> {
  let text = '';
  for await (const line of extractLines(db, { from, to }, (id) => checkpoints.publicKeyText(id)))
    text += line;
  return text;
}
function verify(content: string | Buffer, ...more: readonly string[]): { code: number | null; text: string } {
  const file = join(folder, 'audit.jsonl');
  writeFileSync(file, content);
  const { status, stdout, stderr } = spawnSync(process.execPath, [verifier, file, ...more], {
    encoding: 'utf8',
    // It needs nothing of ours: no folder, no environment.
    cwd: folder,
    env: {},
  });
  return { code: status, text: stdout + stderr };
}
const kept = async (): Promise<string> => {
  const [row] = await db.query<{ payload: { checkpoint: object } }>(
    `SELECT payload FROM outbox WHERE kind = 'audit.anchor' ORDER BY id DESC LIMIT 1`,
  );
  const file = join(folder, 'kept.json');
  writeFileSync(file, JSON.stringify(row?.payload.checkpoint));
  return file;
};

// What stands beside the first event that has it; a value is JSON in JSON.
const FACTS = /"personal":\{"reason":\{"salt":"\w+","value":"(?:[^"\\]|\\.)*"\}\}/;

describe('an extract of the audit record', () => {
  it('is verified by a program that has nothing but Node', async () => {
    const { publicKey } = checkpoints.current;
    const found = verify(await extract(), '--key', publicKey, '--checkpoint', await kept());
    expect(found).toMatchObject({
      code: 0,
      text: expect.stringMatching(/^Whole: 75 events \(1 to 75\), 2 checkpoints\./),
    });
    expect(found.text).toContain('The last 5 events are under no checkpoint in here.');
    expect(verify(await extract()).text).toContain('is taken from the file: compare it');
  });

  it('shows what was said of people with what proves it, and says how much was erased', async () => {
    const text = await extract();
    expect(text.split('It is Ana').length - 1).toBe(11);
    expect(verify(text).text).toContain('Facts about people: 11 as they were recorded, 10 erased.');
    // Who got it may pass it on without them; that nobody erased them is said.
    const without = text.replaceAll(/,"personal":\{"reason":\{"salt":[^\n]*?\}\}(?=\}\n)/g, '');
    expect(without).not.toContain('Ana');
    expect(verify(without)).toMatchObject({
      code: 0,
      text: expect.stringContaining(
        'Facts about people: 0 as they were recorded, 10 erased, 11 not shown and not erased by anybody within this part',
      ),
    });
    // The erasure is event 40.
    expect(verify(await extract(1, 39)).text).toContain('0 as they were recorded, 0 erased, 10 not shown');
  });

  it.each([
    ['a name', (text: string) => text.replace('It is Ana', 'It is Eva')],
    ['a salt', (text: string) => text.replace(/"salt":"./, '"salt":"g')],
    ['the field', (text: string) => text.replace('"personal":{"reason"', '"personal":{"outcome"')],
    [
      'a fact that the event does not have',
      (text: string) =>
        text.replace(/("seq":46)(?=\})/, `$1,"personal":{"note":{"salt":"${'0'.repeat(32)}","value":"1"}}`),
    ],
    [
      'something that is no fact',
      (text: string) => text.replace('"personal":{"reason":{', '"personal":{"reason":{"x":1,'),
    ],
    ['a field that no event has', (text: string) => text.replace('"personal":', '"Personal":')],
    ...['null', '5', '"x"', '[]', '{}', '{"reason":null}', '{"reason":[]}'].map(
      (fact) =>
        [`${fact} for all that it says`, (text: string) => text.replace(FACTS, `"personal":${fact}`)] as [
          string,
          (text: string) => string,
        ],
    ),
    [
      'a list for a value',
      (text: string) =>
        text.replace(FACTS, (all) => all.replace(/"value":("(?:[^"\\]|\\.)*")/, '"value":[$1]')),
    ],
    [
      'a list for a salt',
      (text: string) => text.replace(FACTS, (all) => all.replace(/"salt":("\w+")/, '"salt":[$1]')),
    ],
  ])('is not whole with %s of a person changed', async (_, change) => {
    const text = await extract();
    expect(change(text)).not.toBe(text);
    expect(verify(change(text))).toMatchObject({
      code: 1,
      text: expect.stringMatching(/^NOT WHOLE: line \d+: /),
    });
  });

  it('is verified as a slice, which carries the hash before it', async () => {
    expect(verify(await extract(31, 72))).toMatchObject({
      code: 0,
      text: expect.stringMatching(/^Whole: 42 events \(31 to 72\), 2 checkpoints\./),
    });
    expect(verify(await extract(75, 75))).toMatchObject({
      code: 0,
      text: expect.stringContaining('1 events (75 to 75), 0'),
    });
  });

  it('is not whole whichever byte of it is flipped', async () => {
    const whole = Buffer.from(await extract(30, 45));
    const file = join(folder, 'flipped.jsonl');
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] ?? 0) ^ mask;
        writeFileSync(file, changed);
        const found = await verifyProgram(file);
        expect(found).toMatchObject({ code: 1, text: expect.stringMatching(/^NOT WHOLE: /) });
      }),
      {
        numRuns: 80,
        examples: [
          [whole.length - 1, 1],
          [0, 1],
          [whole.indexOf('before') + 10, 1],
        ],
      },
    );
    // Each change is looked at by a process of its own.
  }, 120_000);

  it('names the first bad place of what is cut, reordered, left out or put in', async () => {
    const lines = (await extract()).trimEnd().split('\n');
    const text = (changed: readonly string[]): string => `${changed.join('\n')}\n`;
    expect(verify(text(lines.toSpliced(10, 1))).text).toBe(
      'NOT WHOLE: line 11: should be event 10 of the chain, and is 11.\n',
    );
    const swapped = lines.with(10, lines[11] ?? '').with(11, lines[10] ?? '');
    expect(verify(text(swapped)).text).toMatch(/^NOT WHOLE: line 11: should be event 10/);
    expect(verify(text(lines.toSpliced(10, 0, lines[10] ?? ''))).text).toMatch(
      /^NOT WHOLE: line 12: should be event 11/,
    );
    expect(verify(text(lines.slice(0, -1))).text).toMatch(
      /^NOT WHOLE: the extract is cut off: its last line is missing/,
    );
    expect(verify(lines.join('\n')).text).toMatch(/^NOT WHOLE: .*cut off in the middle of a line/);
  });

  it('that was written anew is found by the key or by the checkpoint that somebody kept', async () => {
    const lines = (await extract()).trimEnd().split('\n');
    // Its end taken away, with another end that fits: within itself it is whole.
    const end = JSON.parse(lines[60] ?? '') as { seq: number; hash: string };
    const shorter = [...lines.slice(0, 61), JSON.stringify({ kind: 'end', to: end.seq, head: end.hash })];
    const text = `${shorter.join('\n')}\n`;
    expect(verify(text).code).toBe(0);
    expect(verify(text, '--checkpoint', await kept())).toMatchObject({
      code: 1,
      text: expect.stringMatching(/ends at event 59; the checkpoint you kept knows 70/),
    });
    const other = randomBytes(32).toString('base64');
    expect(verify(await extract(), '--key', other)).toMatchObject({
      code: 1,
      text: expect.stringMatching(/checkpoint 40 is signed with another key/),
    });
  });

  it('says loudly what was given and confirms nothing of it, and ends with 1', async () => {
    const { publicKey } = checkpoints.current;
    // Whoever writes a history of his own leaves the checkpoints out.
    const unsigned = (await extract()).replaceAll(/^\{"kind":"checkpoint".*\n/gm, '');
    const found = verify(unsigned, '--key', publicKey);
    expect(found).toMatchObject({
      code: 1,
      text: expect.stringMatching(
        /^NOT CONFIRMED: the key that you gave confirms nothing here: no checkpoint/,
      ),
    });
    expect(verify(unsigned)).toMatchObject({
      code: 0,
      text: expect.stringContaining('Nothing in here is signed: which chain it is of'),
    });
    expect(verify(await extract(72, 75), '--checkpoint', await kept())).toMatchObject({
      code: 1,
      text: expect.stringMatching(
        /^NOT CONFIRMED: the checkpoint of event 70 that you kept lies outside of this part \(72 to 75\)/,
      ),
    });
  });

  it('is compared with a checkpoint that was kept of the event before it', async () => {
    const slice = await extract(71, 75);
    const file = await kept();
    expect(verify(slice, '--checkpoint', file).code).toBe(0);
    const checkpoint = JSON.parse(readFileSync(file, 'utf8')) as object;
    writeFileSync(file, JSON.stringify({ ...checkpoint, head: 'f'.repeat(64) }));
    expect(verify(slice, '--checkpoint', file)).toMatchObject({
      code: 1,
      text: expect.stringMatching(/^NOT WHOLE: line 1: event 70, before this part, was another/),
    });
    writeFileSync(file, JSON.stringify({ ...checkpoint, chain: 'another' }));
    expect(verify(await extract(), '--checkpoint', file)).toMatchObject({
      code: 1,
      text: expect.stringMatching(
        /^NOT WHOLE: line 1: is of the chain .*the checkpoint you kept is of another/,
      ),
    });
  });

  it.each(['null', '5', '[]', '{"seq":1,"head":["ab"]}', '{"seq":0,"head":"x"}', 'no JSON'])(
    'is not compared with a file that is no checkpoint: %s',
    async (content) => {
      const file = join(folder, 'odd.json');
      writeFileSync(file, content);
      expect(verify(await extract(), '--checkpoint', file)).toEqual({
        code: 2,
        text: `${file}: is no checkpoint\n`,
      });
    },
  );

  it.each(['extract', 'event', 'checkpoint', 'end'])(
    'is not whole where its %s line says more or less than it is asked',
    async (kind) => {
      const lines = (await extract()).trimEnd().split('\n');
      const at = lines.findIndex((line) => line.startsWith(`{"kind":"${kind}"`));
      const value = JSON.parse(lines[at] ?? '') as Record<string, unknown>;
      const { [Object.keys(value).at(-1) ?? '']: _, ...less } = value;
      for (const other of [{ ...value, note: 'made for ACME' }, { ...value, personal: {} }, less]) {
        expect(verify(`${lines.with(at, JSON.stringify(other)).join('\n')}\n`)).toMatchObject({
          code: 1,
          text: expect.stringMatching(new RegExp(`^NOT WHOLE: line ${at + 1}: .*is not as it was written`)),
        });
      }
    },
  );

  it.each([
    ['no JSON', 'x'],
    ['no object', '5'],
  ])('that somebody wrote with data that is %s is not whole, and says where', (what, data) => {
    const chain = 'c0ffee00-0000-4000-8000-000000000000';
    const event = { id: '1', at: '1', actor: 'user:a', action: 'backup.restored', subject: 's', data };
    const [link] = chained({ seq: 0, hash: genesisOf(chain) }, [event]);
    const lines = [
      { kind: 'extract', chain, from: 1, before: genesisOf(chain).toString('hex') },
      { kind: 'event', ...event, hash: link?.hash.toString('hex'), seq: 1 },
    ];
    expect(verify(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))).toEqual({
      code: 1,
      text: `NOT WHOLE: line 2: event 1 has data that is ${what}.\n`,
    });
  });

  it('is asked for rightly, or the usage says how', () => {
    expect(verify('', '--nonsense')).toMatchObject({ code: 2, text: expect.stringMatching(/^Usage: /) });
    const { status, stderr } = spawnSync(process.execPath, [verifier, join(folder, 'none')], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringContaining('no such file') });
  });
});
