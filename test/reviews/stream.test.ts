import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AccessGuard } from '../../src/access/access.guard.js';
import { Unauthorized } from '../../src/errors.js';
import { eventsAfter, EVENTS_AFTER, FIRST_PLACE, lastPlace } from '../../src/reviews/sql/event-order.js';
import { HumanWorker } from '../../src/reviews/human.worker.js';
import { ReviewSubscriber } from '../../src/reviews/stream/review-subscriber.js';
import { insertReviewEvent } from '../../src/reviews/sql/review-events.js';
import { eventually } from '../support/eventually.js';
import { reviewsApp } from './app.js';
import { reviewsStage, type ReviewsStage } from './stage.js';

interface Heard {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: {
    readonly reviewId?: string;
    readonly kind?: string;
    readonly queue?: string;
    readonly reason?: string;
  };
}

/** A client that keeps what it hears. */
class Listener {
  readonly heard: Heard[] = [];
  readonly ended: Promise<void>;
  private readonly abort = new AbortController();
  private text = '';

  private constructor(url: string, headers: Record<string, string>) {
    this.ended = this.listen(url, headers);
  }

  static async of(app: NestFastifyApplication, headers: Record<string, string> = {}): Promise<Listener> {
    const listener = new Listener(await app.getUrl(), { 'x-test-user': 'alice', ...headers });
    open.push(listener);
    await eventually(() => listener.heard.some(({ event }) => event === 'hello'));
    return listener;
  }

  /** `opened default` and so forth. */
  get changes(): readonly string[] {
    return this.heard
      .filter(({ event }) => event === 'change')
      .map(({ data }) => `${data.kind} ${data.queue}`);
  }

  get lastId(): string {
    return this.heard.findLast(({ id }) => id !== undefined)?.id ?? '';
  }

  async close(): Promise<void> {
    this.abort.abort();
    await this.ended;
  }

  private async listen(url: string, headers: Record<string, string>): Promise<void> {
    try {
      const { body } = await fetch(`${url}/api/v1/reviews/stream`, { headers, signal: this.abort.signal });
      for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>)
        this.take(Buffer.from(chunk).toString());
    } catch (error) {
      if (!this.abort.signal.aborted) throw error;
    }
  }

  private take(text: string): void {
    const events = (this.text + text).split('\n\n');
    this.text = events.pop() ?? '';
    for (const event of events) {
      const line = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(event)?.[1];
      this.heard.push({
        event: line('event') ?? '',
        id: line('id'),
        data: JSON.parse(line('data') ?? '{}') as Heard['data'],
      });
    }
  }
}

let stage: ReviewsStage;
let app: NestFastifyApplication;
const apps: NestFastifyApplication[] = [];
const open: Listener[] = [];

const start = async (): Promise<NestFastifyApplication> => {
  const made = await reviewsApp(stage, { ROLES: 'api' });
  await made.app.listen(0, '127.0.0.1');
  apps.push(made.app);
  return made.app;
};
beforeEach(async () => {
  stage = await reviewsStage();
  app = await start();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((listener) => listener.close()));
  for (const one of apps.splice(0)) await one.close();
  await stage.close();
});

/** Opens a review in a process. */
async function ask(queue: string, where = app): Promise<string> {
  const task = stage.engine.add({ title: 'Release?', queue, joinsCase: false });
  const context = { signal: new AbortController().signal, log: () => undefined };
  await where.get(HumanWorker, { strict: false }).execute(task, context);
  const [row] = await stage.db.query<{ id: string }>('SELECT id FROM review WHERE task_id = $1', [
    task.taskId,
  ]);
  return row?.id ?? '';
}
const soon = (check: () => unknown): Promise<boolean> =>
  eventually(async () => {
    await check();
    return true;
  });

describe('the stream of the inbox', () => {
  it('tells what happens to reviews, to each of the queues that they may see', async () => {
    const all = await Listener.of(app);
    const payroll = await Listener.of(app, { 'x-test-roles': 'viewer', 'x-test-grants': 'payroll' });
    await ask('quarantine');
    const id = await ask('payroll');
    await app.inject({
      method: 'POST',
      url: `/api/v1/reviews/${id}/claim`,
      headers: { 'x-test-user': 'alice' },
    });
    await soon(() => {
      expect(all.changes).toContain('opened quarantine');
      expect(all.changes).toContain('claimed payroll');
      expect(payroll.changes).toContain('claimed payroll');
    });
    expect(payroll.changes.filter((one) => one.includes('quarantine'))).toEqual([]);
    expect(all.heard.at(-1)?.data).toMatchObject({ reviewId: id, state: 'CLAIMED', version: 2 });
  });

  it('is for nobody who may see the reviews of no queue', async () => {
    const answer = await app.inject({
      url: '/api/v1/reviews/stream',
      headers: { 'x-test-user': 'eve', 'x-test-roles': 'viewer' },
    });
    expect(answer.statusCode).toBe(403);
  });

  it('tells what happened in another process', async () => {
    const other = await start();
    const here = await Listener.of(app);
    await ask('quarantine', other);
    await soon(() => expect(here.changes).toEqual(['opened quarantine']));
  });

  it('goes on where it ended, at another process and after a restart, without a gap and nothing twice', async () => {
    const first = await Listener.of(app);
    await ask('a');
    await soon(() => expect(first.changes).toEqual(['opened a']));
    await first.close();
    await ask('b');
    await ask('c');
    const other = await start();
    await apps.shift()?.close();
    const resumed = await Listener.of(other, { 'last-event-id': first.lastId });
    await soon(() => expect(resumed.changes).toEqual(['opened b', 'opened c']));
    await ask('d', other);
    await soon(() => expect(resumed.changes).toEqual(['opened b', 'opened c', 'opened d']));
    expect(resumed.heard.map(({ event }) => event)).not.toContain('reset');
  });

  it.each(['1-1', '99999999999-5', 'nonsense', "1-1'; --"])(
    'says so when it cannot go on from %s',
    async (lastEventId) => {
      await ask('a');
      const listener = await Listener.of(app, { 'last-event-id': lastEventId });
      await soon(() => expect(listener.heard.map(({ event }) => event)).toContain('reset'));
      expect(listener.changes).toEqual([]);
      await ask('b');
      await soon(() => expect(listener.changes).toEqual(['opened b']));
    },
  );

  it('says so when too much came meanwhile', async () => {
    const first = await Listener.of(app);
    const id = await ask('a');
    await soon(() => expect(first.changes).toHaveLength(1));
    await first.close();
    await stage.db.query(
      `INSERT INTO review_event (review_id, at, kind, actor, actor_name, via, data)
       SELECT $1, 1, 'commented', 'x', 'x', 'web', '{}' FROM generate_series(1, 501)`,
      [id],
    );
    const resumed = await Listener.of(app, { 'last-event-id': first.lastId });
    await soon(() => expect(resumed.heard.map(({ event }) => event)).toContain('reset'));
  });

  it('lives though nothing happens, and ends with the session', async () => {
    const listener = await Listener.of(app);
    stage.clock.advance(15_000);
    await soon(() => expect(listener.heard.at(-1)?.event).toBe('beat'));
    app.get(AccessGuard, { strict: false }).identify = () =>
      Promise.reject(new Unauthorized('Log in first.'));
    stage.clock.advance(15_000);
    await listener.ended;
    expect(listener.heard.at(-1)).toMatchObject({ event: 'end', data: { reason: 'session' } });
  });

  it('tells no more of a queue than the grants of now allow', async () => {
    const listener = await Listener.of(app, { 'x-test-roles': 'viewer', 'x-test-grants': 'payroll,hr' });
    app.get(AccessGuard, { strict: false }).identify = () =>
      Promise.resolve({
        kind: 'user',
        id: 'alice',
        name: 'alice',
        roles: ['viewer'],
        grants: [{ role: 'approver', scope: 'hr' }],
        method: 'session',
      });
    stage.clock.advance(15_000);
    await soon(() => expect(listener.heard.at(-1)?.event).toBe('beat'));
    await ask('payroll');
    await ask('hr');
    await soon(() => expect(listener.changes).toEqual(['opened hr']));
  });

  it('is not for pages of other sites', async () => {
    const answer = await app.inject({
      url: '/api/v1/reviews/stream',
      headers: { 'x-test-user': 'alice', 'sec-fetch-site': 'cross-site' },
    });
    expect(answer.statusCode).toBe(403);
  });

  it('ends when the process stops', async () => {
    const listener = await Listener.of(app);
    await apps.shift()?.close();
    await listener.ended;
    expect(listener.heard.at(-1)).toMatchObject({ event: 'end', data: { reason: 'shutdown' } });
  });
});

describe('the order of events', () => {
  const event = { at: 1, kind: 'commented', by: { id: 'x', name: 'x' }, via: 'web', data: {} } as const;

  it('passes over nothing that commits later than what was written after it', async () => {
    const id = await ask('a');
    const after = await lastPlace(stage.db);
    const numbers = async () => (await eventsAfter(stage.db, { after, limit: 10 })).map((one) => one.id);
    let early = '';
    let late = '';
    await stage.db.transaction(async (slow) => {
      early = await insertReviewEvent(slow, id, event);
      await stage.db.transaction(async (quick) => {
        late = await insertReviewEvent(quick, id, event);
      });
      // The later one is committed; were it told, whoever goes on behind it would never hear of the earlier one.
      expect(await numbers()).toEqual([]);
    });
    await soon(async () => expect(await numbers()).toEqual([early, late]));
  });

  it('is read through an index, with many events behind', async () => {
    const id = await ask('a');
    await stage.db.query(
      `INSERT INTO review_event (review_id, at, kind, actor, actor_name, via, data)
       SELECT $1, 1, 'commented', 'x', 'x', 'web', '{}' FROM generate_series(1, 5000)`,
      [id],
    );
    await stage.db.query('ANALYZE review_event');
    const { xid } = await lastPlace(stage.db);
    const plan = await stage.db.query(`EXPLAIN ${EVENTS_AFTER}`, [xid, '4990', null, null, 500]);
    expect(JSON.stringify(plan)).toContain('review_event_order');
    expect(await eventsAfter(stage.db, { after: FIRST_PLACE, limit: 7 })).toHaveLength(7);
  });
});

describe('a slow client', () => {
  const at = (n: number, reviewId: string) =>
    ({
      xid: '1',
      id: String(n),
      reviewId,
      kind: 'claimed',
      at: n,
      queue: 'a',
      state: 'CLAIMED',
      version: n,
    }) as const;
  const all = (subscriber: ReviewSubscriber): string => {
    let text = '';
    const take = () => subscriber.read() as Buffer | null;
    for (let part = take(); part !== null; part = take()) text += part.toString();
    return text;
  };

  it('gets of each review the last, and a reset in place of more than 200', () => {
    const subscriber = new ReviewSubscriber(undefined);
    all(subscriber);
    // Nobody reads: the connection takes no more.
    for (let n = 0; n < 2000; n++) subscriber.push(' '.repeat(100));
    for (let n = 1; n <= 1000; n++) subscriber.offer(at(n, 'one'));
    for (let n = 1001; n <= 1300; n++) subscriber.offer(at(n, `r${n}`));
    const text = all(subscriber);
    expect(text.match(/event: reset/g)).toHaveLength(1);
    expect(text.match(/event: change/g)?.length ?? 0).toBeLessThanOrEqual(200);
    expect(text).not.toContain('"version":999,');
  });
});
