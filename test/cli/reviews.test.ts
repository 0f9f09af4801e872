import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { momentOf } from '../../src/cli/moments.js';
import { run } from '../../src/cli/run.js';
import { reviewTimeline } from '../../src/reviews/sql/review-events.js';
import { reviewsApp } from '../reviews/app.js';
import { reviewsStage, type ReviewsStage } from '../reviews/stage.js';

let stage: ReviewsStage;
let app: NestFastifyApplication;
let door: Server;
let roles = 'analyst';

beforeEach(async () => {
  roles = 'analyst';
  stage = await reviewsStage();
  stage.clock.advance(Date.now() - stage.clock.now());
  stage.reviewers.people = [
    { personId: 'alice', name: 'Alice' },
    { personId: 'bob', name: 'Bob' },
    { personId: 'bob-2', name: 'bob' },
    { personId: 'carol', name: 'Carol' },
  ];
  ({ app } = await reviewsApp(stage));
  // Lets everybody in as Alice.
  door = createServer((request, response) => void letIn(request, response));
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  door.closeAllConnections();
  await new Promise((resolve) => door.close(resolve));
  await app.close();
  await stage.close();
});

async function letIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await buffer(request);
  const sent = body.length === 0 ? {} : { payload: body };
  const { statusCode, headers, payload } = await app.inject({
    method: request.method as 'GET',
    url: request.url ?? '/',
    headers: {
      'x-test-user': 'alice',
      'x-test-roles': roles,
      ...(body.length === 0 ? {} : { 'content-type': 'application/json' }),
    },
    ...sent,
  });
  response.writeHead(statusCode, headers as Record<string, string>).end(payload);
}

async function say(...args: string[]): Promise<string> {
  const lines: string[] = [];
  const { port } = door.address() as AddressInfo;
  const env = { SALLYPORT_URL: `http://127.0.0.1:${port}`, SALLYPORT_API_KEY: 'cli:secret' };
  const code = await run(args, env, {
    out: (line) => void lines.push(line),
    note: () => undefined,
    style: { colour: false },
  });
  expect(code).toBe(0);
  return lines.join('\n');
}

describe('reviews on the command line', () => {
  test('hold, resume, ask, answer, comment, postpone, hand-over and leaving out do what they say', async () => {
    const { id } = await stage.open({ deadline: '3d' });
    const review = (verb: string, ...args: string[]) => say('review', verb, id, ...args);
    expect(await review('hold', '--until', '2d', '--reason', 'a patch comes')).toMatch(
      /^On hold until \d{4}-/,
    );
    expect(await review('resume')).toBe('It goes on; it is OPEN.');
    expect(await review('ask', 'Whose key is it?')).toBe('Asked. It waits for the answer.');
    expect(await review('answer', 'Ours.')).toBe('Answered. It goes on.');
    expect(await review('comment', 'We rotate it.')).toBe('Noted.');
    const due = new Date(Date.now() + 9 * 86_400_000).toISOString();
    expect(await review('postpone', '--due', due, '--reason', 'holidays')).toBe(`Due ${due}.`);
    await review('claim');
    expect(await review('delegate', 'CAROL')).toBe('Carol has it.');
    await expect(review('reassign', 'Bob')).rejects.toThrow(/Give the id: bob, bob-2/);
    await expect(review('reassign', 'nobody')).rejects.toThrow(/Those who may: Alice, Bob/);
    roles = 'admin';
    expect(await review('reassign', 'bob-2')).toBe('bob has it.');
    expect(await review('skip', '--reason', 'of no use')).toMatch(/^Skipped/);
    const timeline = await reviewTimeline(stage.db, id);
    expect(timeline.map(({ kind }) => kind)).toEqual([
      'opened',
      'held',
      'resumed',
      'asked',
      'answered',
      'commented',
      'postponed',
      'claimed',
      'delegated',
      'reassigned',
      'skipped',
    ]);
    expect(timeline[1]?.data).toMatchObject({ reason: 'a patch comes' });
    await expect(review('resume')).rejects.toThrow(/already chose “Skip”/);
  });

  test('list and show tell questions about the same object apart, by title and queue', async () => {
    const release = await stage.open({ title: 'Release it?', queue: 'secops' });
    const key = await stage.open({ title: 'Whose key is it?' });
    const lines = (await say('review', 'list')).split('\n');
    expect(lines[0]).toMatch(/QUEUE .*TITLE +OBJECT$/);
    const line = (id: string) => lines.find((one) => one.startsWith(id));
    expect(line(release.id)).toMatch(/ secops .* Release it\? +s3:\/\/uploads\/incoming\/config\.zip$/);
    expect(line(key.id)).toMatch(/ default .* Whose key is it\? +s3:\/\/uploads\/incoming\/config\.zip$/);
    const shown = await say('review', 'show', release.id);
    expect(shown).toMatch(/^title +Release it\?$/m);
    expect(shown).toMatch(/^queue +secops$/m);
  });

  test('withdraw takes a vote back, and says where there is none', async () => {
    const { id } = await stage.open({ quorum: { approve: 2 } });
    await expect(say('review', 'withdraw', id)).rejects.toThrow(/have not voted/);
    await say('review', 'decide', id, 'release', '--reason', 'a test file');
    expect(await say('review', 'withdraw', id)).toBe('Your vote is taken back.');
    expect((await stage.reviews.get(id)).votes).toEqual([]);
  });

  test('absences are said, listed and taken back', async () => {
    const added = await say('absences', 'add', '--to', '2w', '--substitute', 'Carol', '--note', 'skiing');
    expect(added).toMatch(/away +Alice\n[^]*stands in +Carol/);
    const list = await say('absences', 'list');
    expect(list).toMatch(/\nAlice .*Carol .*skiing/);
    const { items } = JSON.parse(await say('absences', 'list', '--json')) as { items: { id: string }[] };
    expect(await say('absences', 'remove', items[0]?.id ?? '')).toBe('Taken back.');
    await expect(say('absences', 'add', '--to', 'tomorrow')).rejects.toThrow(
      /--to: "tomorrow" cannot be used/,
    );
    await expect(say('absences', 'add', '--to', '2w', '--person', 'Carol')).rejects.toThrow(/Only an admin/);
  });

  test('calendars are written, given to a group, shown and removed', async () => {
    roles = 'operator';
    await stage.db.query(
      `INSERT INTO access_group (id, name, roles, created_at, created_by) VALUES ($1, 'secops', '{}', 0, 'test')`,
      [randomUUID()],
    );
    const set = ['calendars', 'set', 'office', '--time-zone', 'Europe/Berlin', '--hours'];
    const made = await say(...set, '{"mon": ["09:00-17:00"]}', '--holidays', '2026-12-25,2026-12-26');
    expect(made).toMatch(/time zone +Europe\/Berlin\nmon +09:00-17:00\nholidays +2026-12-25, 2026-12-26\n/);
    expect(await say('calendars', 'attach', 'office', 'secops')).toMatch(/groups +secops/);
    expect(await say('calendars', 'list')).toMatch(/\noffice +Europe\/Berlin +secops +2/);
    await expect(say(...set, '{}')).rejects.toThrow(/--hours: must name working time/);
    await expect(say('calendars', 'remove', 'office')).rejects.toThrow(/Take it from the group first/);
    expect(await say('calendars', 'detach', 'office', 'secops')).toMatch(/groups +none/);
    expect(await say('calendars', 'remove', 'office')).toBe('Removed.');
  });
});

test('a moment is a time with its offset, or so long from now', () => {
  const now = Date.UTC(2026, 10, 23);
  expect(momentOf('--until', '4h', now)).toBe('2026-11-23T04:00:00.000Z');
  expect(momentOf('--until', '2026-12-24T09:00:00+01:00', now)).toBe('2026-12-24T09:00:00+01:00');
  for (const wrong of ['', '4', '4x', '2026-12-24', '2026-12-24T09:00:00', '2026-13-24T09:00:00Z'])
    expect(() => momentOf('--until', wrong, now)).toThrow(/--until: .* cannot be used/);
});
