import { beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.js';
import { ExceptionsController } from '../../src/findings/exceptions/exceptions.controller.js';
import { Exceptions } from '../../src/findings/exceptions/exceptions.service.js';
import { RemediesController } from '../../src/findings/remedies/remedies.controller.js';
import { Remedies } from '../../src/findings/remedies/remedies.service.js';
import { OutboxBell } from '../../src/outbound/outbox-bell.js';
import { PostgresOutbox } from '../../src/outbound/postgres-outbox.js';
import { Baseline } from '../../src/verdicts/baseline/baseline.service.js';
import { secret } from '../findings/stage.js';
import { headOf, httpApp } from '../intake/http-app.js';
import { awsMessage, intakeParts } from '../intake/intake-parts.js';
import { sayTo } from './say-to.js';

const parts = await intakeParts();
const { database, clock, test: stored } = parts;
const bell = new OutboxBell();
const outbox = new PostgresOutbox(clock, bell);
const baseline = new Baseline(database, clock);
const { server } = await httpApp(
  parts,
  { head: () => Promise.resolve(headOf()) },
  {
    controllers: [ExceptionsController, RemediesController],
    providers: [
      { provide: Exceptions, useValue: new Exceptions(database, clock, outbox, bell, readConfig({})) },
      { provide: Remedies, useValue: new Remedies(database, clock, outbox, bell, baseline, readConfig({})) },
    ],
  },
);
/** What a command prints, notes or fails with. */
const sayAll = (command: string) => {
  const say = sayTo(server, command);
  return async (...args: string[]) => {
    try {
      const { text, notes } = await say(...args);
      return { text: `${text}\n${notes}`.trim() };
    } catch (error) {
      // As the program shows it.
      return { text: (error as Error).message };
    }
  };
};
const say = sayAll('exceptions');
const remedies = sayAll('remedies');
const UNTIL = '2027-01-31T00:00:00Z';

let finding = '';
beforeEach(async () => {
  await stored.truncate();
  await parts.intake.accept(
    awsMessage({ bucket: 'uploads', key: 'app/.env', versionId: 'v', eTag: 'e', sequencer: 'A' }),
    { kind: 'webhook' },
  );
  const [scan] = await stored.query<{ id: string }>('SELECT id FROM scan');
  const scanId = scan?.id ?? '';
  await parts.ledger.recordFindings(scanId, 'secrets', [secret()], 1);
  await parts.ledger.recordVerdict(scanId, {
    verdict: 'secrets',
    reason: 'secrets_found',
    engines: [],
    bytesScanned: 1,
    bytesTotal: 1,
    notCovered: [],
    sha256: 'aa',
    workflowId: 'w',
  });
  finding = (await stored.query<{ id: string }>('SELECT id FROM finding'))[0]?.id ?? '';
});

const asked = (...more: string[]) =>
  say('request', finding, '--kind', 'accepted_risk', '--reason', 'rotates', '--expires', UNTIL, ...more);

describe('exceptions on the command line', () => {
  test('are previewed, asked for, listed and taken back', async () => {
    expect((await say('preview', finding)).text).toContain('1 findings in 1 objects');
    expect((await asked()).text).toContain('Somebody else must agree');
    const { text } = await say('list', '--state', 'REQUESTED');
    expect(text).toContain('aws-access-key in s3://uploads/app/.env');
    const id = text.split('\n')[1]?.split(' ')[0] ?? '';
    expect((await say('extend', id, '--reason', 'r', '--expires', UNTIL)).text).toContain('in force');
    expect((await say('withdraw', id, '--reason', 'a mistake')).text).toContain('withdrawn');
    const again = await say('withdraw', id, '--reason', 'a mistake');
    expect(again.text).toContain('WITHDRAWN by user:alice at 2026-11-23T12:00:00.000Z');
  });

  test.each([
    ['a rule without its bucket', ['--scope', 'rule', '--rule', 'r', '--of', 'secret'], 'bucket'],
    ['a finding with a bucket', ['FINDING', '--bucket', 'uploads'], 'scope rule alone'],
    ['no finding', [], '<FINDING>: is needed'],
  ])('say what is wrong: %s', async (_, args, told) => {
    const { text } = await say('preview', ...args.map((arg) => (arg === 'FINDING' ? finding : arg)));
    expect(text).toContain(told);
  });
});

test.each([
  ['an end that is no time', { expiresAt: 'tomorrow' }, 'expiresAt'],
  ['no reason', { reason: '  ' }, 'reason'],
  ['a NUL', { reason: 'a\u0000' }, 'reason'],
  ['a kind that is none', { kind: 'ignored' }, 'kind'],
  ['what it does not know', { approver: 'alice' }, 'approver'],
  ['an id that is none', { findingId: "1' OR '1" }, 'findingId'],
])('an exception is refused with %s', async (_, wrong, told) => {
  const payload = {
    kind: 'suppressed',
    scope: 'secret',
    findingId: finding,
    reason: 'r',
    expiresAt: UNTIL,
    ...wrong,
  };
  const answer = await server.inject({
    method: 'POST',
    url: '/api/v1/exceptions',
    headers: { host: 'localhost' },
    payload,
  });
  expect(answer.statusCode).toBe(400);
  expect(answer.body).toContain(told);
  expect(await stored.query('SELECT FROM finding_exception')).toEqual([]);
});

test('a page of exceptions goes on where the last one ended', async () => {
  for (let n = 0; n < 3; n += 1) await asked('--scope', 'secret');
  const seen: string[] = [];
  for (let cursor = ''; ;) {
    const answer = await server.inject({
      url: `/api/v1/exceptions?limit=2${cursor}`,
      headers: { host: 'localhost' },
    });
    const page = JSON.parse(answer.body) as { items: { id: string }[]; nextCursor?: string };
    seen.push(...page.items.map(({ id }) => id));
    if (page.nextCursor === undefined) break;
    cursor = `&cursor=${page.nextCursor}`;
  }
  expect(new Set(seen).size).toBe(3);
  expect(seen).toHaveLength(3);
});

test('a review of a finding is asked for on the command line, and its figures are told', async () => {
  expect((await remedies('open', finding, '--owner', 'group:secops')).text).toContain('whether it is real');
  expect(await stored.query(`SELECT payload->>'name' AS name FROM outbox`)).toEqual([
    { name: 'finding_review' },
  ]);
  expect((await remedies('open', finding, '--owner', 'secops')).text).toContain('group:NAME');
  expect((await remedies('list', '--overdue')).text).toContain('STATE');
  const figures = await server.inject({
    url: '/api/v1/remedies/figures?from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z',
    headers: { host: 'localhost' },
  });
  expect(JSON.parse(figures.body)).toMatchObject({ owners: [] });
});
