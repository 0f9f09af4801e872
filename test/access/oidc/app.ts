import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Global, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import { AccessModule } from '../../../src/access/access.module.js';
import { Keyring } from '../../../src/access/keyring.js';
import { Clock } from '../../../src/clock.js';
import { CONFIG, readConfig } from '../../../src/config.js';
import { Database } from '../../../src/database/database.js';
import { createAdapter, furnish } from '../../../src/http/server.js';
import { ErrorFilter } from '../../../src/ops/error.filter.js';
import { LOG } from '../../../src/ops/log.js';

/** A node that knows who may come in, and nothing else. */
export async function accessNode(
  database: Database,
  clock: Clock,
  port: number,
  settings: Readonly<Record<string, string>>,
  { lines = [], webRoot = '/nonexistent' }: { lines?: string[]; webRoot?: string } = {},
): Promise<NestFastifyApplication> {
  const home = mkdtempSync(join(tmpdir(), 'oidc-'));
  const config = readConfig({ SALLYPORT_HOME: home, ...settings });
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });

  @Global()
  @Module({
    providers: [
      ErrorFilter,
      { provide: LOG, useValue: log },
      { provide: CONFIG, useValue: config },
      { provide: Database, useValue: database },
      { provide: Clock, useValue: clock },
      { provide: Keyring, useValue: await Keyring.open(database, Buffer.alloc(32, 1), clock) },
    ],
    exports: [LOG, CONFIG, Database, Clock, Keyring],
  })
  class Ground {}

  @Module({ imports: [Ground, AccessModule] })
  class TestModule {}

  const app = await NestFactory.create<NestFastifyApplication>(TestModule, await createAdapter(config, log), {
    logger: false,
    bodyParser: false,
    abortOnError: false,
  });
  await furnish(app, webRoot);
  await app.init();
  await app.listen(port, '127.0.0.1');
  rmSync(home, { recursive: true });
  return app;
}
