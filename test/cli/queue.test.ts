import { pino } from 'pino';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Dispatcher } from '../../src/backlog/dispatcher.js';
import { CommandError } from '../../src/cli/command-error.js';
import { run } from '../../src/cli/run.js';
import { InvalidInput } from '../../src/errors.js';
import { FakeEngine } from '../backlog/fake-engine.js';
import { queueApp } from '../backlog/queue-app.js';
import { awsMessage, intakeParts } from '../intake/intake-parts.js';
import { eventually } from '../support/eventually.js';

const parts = await intakeParts();
const { intake, test, clock, bell, database } = parts;
const { listen } = await queueApp(parts);

let url: string;
let engine: FakeEngine;
const dispatch = () =>
  new Dispatcher({ database, engine, clock, bell, log: pino({ level: 'silent' }), maxRunning: 9 }).dispatch();
const upload = (...keys: string[]) =>
  intake.accept(awsMessage(...keys.map((key) => ({ key, versionId: 'v' }))), { kind: 'webhook' });

async function say(...args: string[]) {
  const lines: string[] = [];
  const notes: string[] = [];
  const environment = { SALLYPORT_URL: url, SALLYPORT_API_KEY: 'id:of-this-test' };
  const code = await run(['queue', ...args], environment, {
    out: (line) => void lines.push(line),
    note: (line) => void notes.push(line),
    style: { colour: false },
  }).catch((error: unknown) => {
    // As the program's own entry does.
    if (!(error instanceof CommandError)) throw error;
    notes.push(error.message);
    return 2;
  });
  return { code, text: lines.join('\n'), notes: notes.join('\n') };
}
const json = async <T>(...args: string[]) => JSON.parse((await say(...args, '--json')).text) as T;

beforeAll(async () => {
  url = await listen();
});
beforeEach(async () => {
  engine = new FakeEngine();
  await test.truncate();
});

describe('sallyport queue', () => {
  it('list shows what waits by queue, and what is paused', async () => {
    await upload('a', 'b');
    await say('pause', '--bucket', 's3://uploads', '--reason', 'flood');
    clock.advance(90_000);
    const text = await eventually(async () => {
      const said = await say('list');
      return said.text.startsWith('2 wait') && said.text;
    });
    expect(text.split('\n')[0]).toBe('2 wait, 0 of 128 run, 0 could not be started');
    expect(text).toMatch(/uploads +upload +2 +0 +0 +1 min 30 s +paused/);
    expect(text).toMatch(/bucket:embedded\/uploads .*user:alice +flood/);
    expect(await dispatch()).toBe(0);
    expect(await say('resume', '--bucket', 'uploads')).toMatchObject({
      code: 0,
      text: expect.stringMatching(/^Resumed/) as string,
    });
    expect((await say('resume', '--bucket', 'uploads')).text).toMatch(
      /^Nothing to resume: .*uploads was not paused/,
    );
    expect((await say('pause', '--bucket', 'nope')).notes).toMatch(/nope is not .*sallyport bucket list/);
    expect(await dispatch()).toBe(2);
  });

  it('show lists the scans, a page at a time', async () => {
    await upload('a', 'b\u001b[2J');
    const page = await say('show', '--limit', '1');
    expect([page.code, page.text.split('\n').length]).toEqual([0, 2]);
    expect(page.notes).toMatch(/--cursor \S+$/);
    expect((await say('show')).text).not.toContain('\u001b');
    expect(await json('show', '--state', 'running')).toEqual({ items: [] });
  });

  it('show says of what a pause holds who paused it, when and why', async () => {
    await upload('a');
    expect((await say('show')).text).toMatch(/ 0 +-$/);
    await say('pause', '--source', 'upload', '--reason', 'flood');
    const pausedAt = new Date(clock.now()).toISOString();
    clock.advance(1000);
    await say('pause', '--all');
    expect((await say('show')).text).toContain(`paused by user:alice at ${pausedAt}: flood`);
    await say('resume', '--source', 'upload');
    expect((await say('show')).text).toMatch(/paused by user:alice at \S+Z$/);
    expect(await json('show')).toMatchObject({ items: [{ pause: { queue: 'all', reason: null } }] });
    await say('resume', '--all');
    expect(await json('show')).toMatchObject({ items: [{ pause: null }] });
  });

  it('cancel and requeue take the id of a scan', async () => {
    await upload('a');
    const { items } = await json<{ items: { scanId: string }[] }>('show');
    const scanId = items[0]?.scanId ?? '';
    expect(await json('requeue', scanId, '--priority', '90')).toMatchObject({ scanId, state: 'waiting' });
    expect(await say('cancel', scanId)).toMatchObject({ code: 0, text: 'Cancelled.' });
    expect(await say('cancel', scanId)).toMatchObject({ code: 2, notes: expect.stringContaining('over') });
  });

  it('dead-letters says why, and redrive lets them wait again', async () => {
    await upload('a', 'b');
    engine.failures.push(InvalidInput.field('input', 'no'), InvalidInput.field('input', 'no'));
    await dispatch();
    expect((await say('dead-letters')).text).toContain('INVALID_INPUT: input: no');
    expect(await say('redrive')).toMatchObject({ code: 2, notes: expect.stringContaining('--all') });
    expect(await say('redrive', '--bucket', 'plain')).toMatchObject({ code: 1, text: 'Nothing to redrive.' });
    expect(await json('redrive', '--all')).toEqual({ redriven: 2 });
    expect(await say('redrive', '--all')).toMatchObject({ code: 0, text: 'Nothing to redrive.' });
    expect(await dispatch()).toBe(2);
  });

  it.each([
    [['pause'], '--all'],
    [['pause', '--all', '--source', 'upload'], '--all'],
    [['pause', '--bucket', 'nowhere'], 'not a registered bucket'],
    [['show', '--state', 'lost'], 'waiting, postponed, running, dead'],
  ])('%j is refused with what mends it', async (args, said) => {
    expect(await say(...args)).toMatchObject({ code: 2, notes: expect.stringContaining(said) });
  });
});
