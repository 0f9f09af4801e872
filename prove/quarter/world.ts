import { NestFactory } from '@nestjs/core';
import type { Type, Abstract } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import { Keyring } from '../../src/access/keyring.js';
import { AppModule, ENTITIES } from '../../src/app.module.js';
import { readConfig } from '../../src/config.js';
import { createDataSource } from '../../src/database/data-source.js';
import { Database } from '../../src/database/database.js';
import { Notices } from '../../src/database/notices.js';
import { HomeDoor } from '../../src/embedded/home-address.js';
import { createAdapter, furnish } from '../../src/http/server.js';
import { ObjectStorage } from '../../src/s3/object-storage.js';
import { BucketRegistry } from '../../src/s3/registry/bucket-registry.js';
import { RegistryChanges } from '../../src/s3/registry/registry-changes.js';
import { seedRegistry } from '../../src/s3/registry/seed.js';
import type { FakeClock } from '../../test/support/clock.js';
import type { Store } from './store.js';

export const TIME_ZONE = 'Europe/Berlin';
export const QUARANTINE = 'quarantine';

export interface Place {
  /** Of the database, as the service logs in. */
  readonly url: string;
  readonly home: string;
}

/** The whole service in this process, on a clock that stands still until somebody moves it; S3 alone is played. */
export class World {
  private constructor(
    readonly app: NestFastifyApplication,
    readonly database: Database,
    private readonly stops: readonly (() => Promise<unknown>)[],
  ) {}

  static async start({ url, home }: Place, clock: FakeClock, store: Store): Promise<World> {
    const config = readConfig({
      DATABASE_URL: url,
      SALLYPORT_HOME: home,
      SALLYPORT_KEY: Buffer.alloc(32, 'quarter').toString('base64'),
      ORG_TIME_ZONE: TIME_ZONE,
      S3_ENDPOINT: 'http://127.0.0.1:9',
      S3_BUCKETS: store.buckets.join(','),
      QUARANTINE_BUCKET: QUARANTINE,
      ACTION_MODE: 'quarantine',
      // All but `api`: nothing listens.
      ROLES: 'engine,worker,intake,notify,reports',
    });
    const log = pino({ level: 'silent' });
    const database = new Database(url, { maxConnections: 12 });
    const dataSource = await (await createDataSource(url, ENTITIES, 2)).initialize();
    const notices = await Notices.start({ listenUrl: url, sender: database, log });
    const app = await NestFactory.create<NestFastifyApplication>(
      AppModule.with({
        config,
        log,
        database,
        dataSource,
        clock,
        notices,
        keyring: await Keyring.open(database, Buffer.alloc(32, 'quarter'), clock),
        mailbox: undefined,
        eventsToken: 'of no use here',
        homeDoor: new HomeDoor(home),
      }),
      await createAdapter(config, log),
      { logger: false, bodyParser: false, abortOnError: false },
    );
    await furnish(app, '/nonexistent');
    await seedRegistry(app.get(RegistryChanges, { strict: false }), config);
    await app.get(BucketRegistry, { strict: false }).open();
    Object.assign(app.get(ObjectStorage, { strict: false }), store.asStorage());
    await app.init();
    return new World(app, database, [
      () => app.close(),
      () => notices.stop(),
      () => dataSource.destroy(),
      () => database.close(),
    ]);
  }

  get<Part>(part: Type<Part> | Abstract<Part>): Part {
    return this.app.get<Part>(part, { strict: false });
  }

  /** Ends everything; what waits stays in the database. Loops that sleep by the clock are woken by `clock`. */
  async stop(clock: FakeClock): Promise<void> {
    const state = { isStopped: false };
    const stopped = (async () => {
      for (const stop of this.stops) await stop();
    })().finally(() => (state.isStopped = true));
    while (!state.isStopped) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (clock.sleeping.nextAt !== undefined) clock.advance(20);
    }
    await stopped;
  }
}

const PATIENCE_MS = 120_000;
// Each look takes some milliseconds: the service's time must not run so fast that its leases end under its hands.
const STEP_MS = 100;

/** What the service has still to do now, before people and uploads come again. */
const UNDER_WAY = `
  SELECT 'timers of reviews' AS what, count(*)::int AS count FROM review_timer
   WHERE fired_at IS NULL AND fire_at <= $1
  UNION ALL SELECT 'outbox', count(*)::int FROM outbox
   WHERE state IN ('pending', 'sending', 'ambiguous') AND due_at <= $1 AND kind IN ('engine.complete', 'findings.start', 'exception.over', 'exception.reopen')
  UNION ALL SELECT 'listings', count(*)::int FROM listing_run WHERE state = 'running' AND listed_at IS NULL AND not_before <= $1
  UNION ALL SELECT 'exceptions', count(*)::int FROM finding_exception WHERE next_at <= $1
  UNION ALL SELECT 'tasks', count(*)::int FROM task
   WHERE status = 'SCHEDULED' OR (status = 'IN_PROGRESS' AND task_type NOT IN ('HUMAN', 'WAIT'))
  UNION ALL SELECT 'questions', count(*)::int FROM task t
   WHERE status = 'IN_PROGRESS' AND task_type = 'HUMAN' AND NOT EXISTS (SELECT FROM review r WHERE r.task_id = t.id)`;

/** Lets the service work until nothing is left to do at this time, which goes on slowly meanwhile. */
export const settle = (world: World, clock: FakeClock): Promise<void> =>
  until(clock, async () => {
    const rows = await world.database.query<{ what: string; count: number }>(UNDER_WAY, [clock.now()]);
    const left = rows.filter(({ count }) => count > 0);
    return left.map(({ what, count }) => `${count} ${what}`).join(', ');
  });

/** The same until so many reports are ready and somebody is asked to read the last one. */
export async function reported(world: World, clock: FakeClock, count: number): Promise<void> {
  await until(clock, async () => {
    const [row] = await world.database.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM report WHERE scheduled AND status = 'ready'`,
    );
    return row?.count === count ? '' : `${row?.count} reports, not ${count}`;
  });
  await settle(world, clock);
}

/** @param whatIsLeft says nothing when nothing is. */
async function until(clock: FakeClock, whatIsLeft: () => Promise<string>): Promise<void> {
  const began = performance.now();
  for (;;) {
    const left = await whatIsLeft();
    if (left === '') return;
    if (performance.now() - began > PATIENCE_MS)
      throw new Error(`the service does not come to rest: ${left}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
    clock.advance(STEP_MS);
  }
}
