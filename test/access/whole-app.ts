import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { Grants } from '../../src/access/grants.service.js';
import { Groups } from '../../src/access/groups.service.js';
import { Ownership } from '../../src/access/ownership.js';
import { Keyring } from '../../src/access/keyring.js';
import type { AccessRole } from '../../src/access/principal.js';
import { AppModule, ENTITIES } from '../../src/app.module.js';
import { readConfig } from '../../src/config.js';
import { createDataSource } from '../../src/database/data-source.js';
import { Database } from '../../src/database/database.js';
import { Notices } from '../../src/database/notices.js';
import { HomeDoor } from '../../src/embedded/home-address.js';
import { NotFound } from '../../src/errors.js';
import { createAdapter, furnish } from '../../src/http/server.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';

/** What every handler would answer: the guard let the request pass. */
export const REACHED = 'the handler would have been called';

export interface WholeApp {
  /** As `GET /api/v1/users/:id`: what the HTTP server itself knows. */
  readonly routes: readonly string[];
  key(id: string, ...roles: AccessRole[]): Promise<string>;
  /** Calls a route with made-up parameters; nobody's call without `authorization`. */
  ask(route: string, authorization?: string): Promise<{ readonly status: number; readonly text: string }>;
  /** Keys of the owners of two groups; all that {@link askAboutMine} asks about is the first one's. */
  owners(): Promise<{ readonly mine: string; readonly theirs: string }>;
  askAboutMine(
    route: string,
    authorization: string,
  ): Promise<{ readonly status: number; readonly text: string }>;
  close(): Promise<void>;
}

/** A grant of approver in the queue `x`. */
const GRANT_ID = '00000000-0000-4000-8000-00000000000a';

/** The whole service with everything before its handlers: no handler is called, so nothing happens. */
export async function wholeApp(): Promise<WholeApp> {
  const test = await testDatabase();
  const database = new Database(test.url);
  const home = mkdtempSync(join(tmpdir(), 'sallyport-routes-'));
  const config = readConfig({ SALLYPORT_HOME: home, ROLES: 'api', EMBEDDED_S3: 'off' });
  const log = pino({ level: 'silent' });
  const clock = new FakeClock();
  const notices = await Notices.start({ listenUrl: test.url, sender: database });
  const dataSource = await (await createDataSource(test.url, ENTITIES)).initialize();
  const module = AppModule.with({
    config,
    log,
    database,
    dataSource,
    clock,
    notices,
    keyring: await Keyring.open(database, Buffer.alloc(32, 1), clock),
    mailbox: undefined,
    eventsToken: 'a token of sixteen letters',
    homeDoor: new HomeDoor(home),
  });
  const adapter = await createAdapter(config, log);
  const server = adapter.getInstance() as FastifyInstance;
  const routes = new Set<string>();
  server.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) if (one !== 'HEAD') routes.add(`${one} ${url}`);
  });
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: false,
    bodyParser: false,
    abortOnError: false,
  });
  // After the guards and before the pipes: thrown, as some handlers would write their answers themselves.
  app.useGlobalInterceptors({
    intercept: () => {
      throw new NotFound(REACHED);
    },
  });
  await furnish(app, '/nonexistent');
  await app.init();
  const key = async (id: string, ...roles: AccessRole[]): Promise<string> => {
    await database.query(
      'INSERT INTO api_key (id, name, secret_sha256, roles, created_at) VALUES ($1, $1, $2, $3, 1)',
      [id, createHash('sha256').update('secret').digest(), roles],
    );
    return `Basic ${Buffer.from(`${id}:secret`).toString('base64')}`;
  };
  const owner = async (name: string): Promise<{ key: string; group: string }> => {
    const { id: group } = await app.get(Groups).create(name, [], 'test');
    const authorization = await key(`owner-${name}`);
    await app
      .get(Grants)
      .give({ kind: 'apikey', id: `owner-${name}` }, { role: 'owner', scope: group }, 'test');
    return { key: authorization, group };
  };
  return {
    routes: [...routes],
    key,
    owners: async () => {
      const mine = await owner('mine');
      const theirs = await owner('theirs');
      const ownership = app.get(Ownership);
      for (const kind of ['queue', 'workflow', 'trigger'] as const)
        await ownership.give(mine.group, { kind, name: 'x' }, 'test');
      await ownership.give(mine.group, { kind: 'bucket', name: 'x/x' }, 'test');
      await database.query(
        `INSERT INTO s3_endpoint (id, kind, region, path_style, credentials, version, created_at, updated_at, updated_by)
         VALUES ('x', 'registered', 'r', true, 'default', 1, 1, 1, 'test')`,
      );
      await database.query(
        `INSERT INTO bucket (endpoint_id, name, action_mode, required, requester_pays, enabled, managed_by, version,
                             created_at, updated_at, updated_by)
         VALUES ('x', 'x', 'tag', '{secrets}', false, true, 'people', 1, 1, 1, 'test')`,
      );
      await database.query(
        `INSERT INTO access_grant (id, holder_kind, holder_id, role, scope, created_at, created_by)
         VALUES ($1, 'user', 'somebody', 'approver', 'x', 1, 'test')`,
        [GRANT_ID],
      );
      return { mine: mine.key, theirs: theirs.key };
    },
    askAboutMine: async (route, authorization) => {
      const [method = 'GET', path = '/'] = route.split(' ');
      const isGrant = path.startsWith('/api/v1/grants');
      const url = path.replaceAll(/:\w+/g, isGrant ? GRANT_ID : 'x') + (isGrant ? '?scope=x' : '');
      const rule = { name: 'x', bucket: 'x', workflow: 'x', role: 'approver', scope: 'x' };
      const body = path.endsWith('/metadata/workflow') && method === 'PUT' ? [rule] : rule;
      const hasBody = method !== 'GET' && method !== 'DELETE';
      const { statusCode, body: text } = await server.inject({
        method,
        url,
        headers: { host: 'localhost', authorization, ...(hasBody && { 'content-type': 'application/json' }) },
        ...(hasBody && { payload: JSON.stringify(path.includes('/buckets/') ? { enabled: true } : body) }),
      });
      return { status: statusCode, text };
    },
    ask: async (route, authorization) => {
      const [method = 'GET', path = '/'] = route.split(' ');
      const { statusCode, body } = await server.inject({
        method,
        url: path.replaceAll(/:\w+/g, 'x'),
        headers: { host: 'localhost', ...(authorization !== undefined && { authorization }) },
      });
      return { status: statusCode, text: body };
    },
    close: async () => {
      await app.close();
      await notices.stop();
      await dataSource.destroy();
      await database.close();
      rmSync(home, { recursive: true });
    },
  };
}
