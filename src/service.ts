import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AccessGuard } from './access/access.guard.js';
import { AccessService } from './access/access.service.js';
import { Keyring } from './access/keyring.js';
import { AppModule, ENTITIES } from './app.module.js';
import { publicHost, type Config } from './config.js';
import { isUnverified } from './database/connection.js';
import { connectionRoom } from './database/connection-room.js';
import { createDataSource } from './database/data-source.js';
import { Database } from './database/database.js';
import { DatabaseClock } from './database/database-clock.js';
import { DatabaseState } from './database/database-state.js';
import { migrate } from './database/migrate.js';
import { patiently } from './database/patiently.js';
import { poolSizes } from './database/pool-sizes.js';
import { Notices } from './database/notices.js';
import { HomeDoor } from './embedded/home-address.js';
import {
  openCredentials,
  openHome,
  openMasterKey,
  writeCredentials,
  type Credentials,
} from './embedded/home.js';
import { startMailbox, type EmbeddedMailbox } from './embedded/mailbox/start-mailbox.js';
import { startEmbeddedPostgres } from './embedded/postgres/start-embedded-postgres.js';
import { startS3Endpoint, type S3Endpoint } from './embedded/s3/endpoint.js';
import { AddressUnusable } from './embedded/s3/store-errors.js';
import { seedSamples } from './embedded/samples.js';
import { ownEmbeddedStore } from './embedded/store-owner.js';
import { homeIdOf } from './engine/runtime/home-id.js';
import { ConfigError, Unavailable, type AppError } from './errors.js';
import { createAdapter, furnish } from './http/server.js';
import { IntakeService } from './intake/intake.service.js';
import { nestLogger, type Log } from './ops/log.js';
import { EMBEDDED_ENDPOINT, EMBEDDED_QUARANTINE, EMBEDDED_UPLOADS } from './s3/buckets.js';
import { Endpoints } from './s3/endpoints.js';
import { ObjectStorage } from './s3/object-storage.js';
import { Buckets } from './s3/buckets.js';
import { BucketRegistry } from './s3/registry/bucket-registry.js';
import { RegistryChanges } from './s3/registry/registry-changes.js';
import { seedRegistry } from './s3/registry/seed.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The whole of one process, running. */
export interface Service {
  readonly app: NestFastifyApplication;
  readonly credentials: Credentials;
  readonly isFirstStart: boolean;
  readonly s3: S3Endpoint | undefined;
  /** Samples uploaded by this start. */
  readonly seeded: number;
  /** Stops everything that was started, newest first; a part that fails to stop does not keep the others. */
  close(): Promise<void>;
}

export interface StartArguments {
  readonly config: Config;
  readonly log: Log;
  /** Called when something is gone for good without which the service is of no use; the message says what. */
  readonly onFatal: (error: AppError) => void;
  /** Aborted when the service is told to stop while it starts: then the start ends after the step that it is in. */
  readonly signal: AbortSignal;
}

/** Things started so far, stopped in the opposite order. */
class Started {
  private readonly parts: { name: string; stop: () => Promise<void> }[] = [];

  constructor(private readonly log: Log) {}

  add(name: string, stop: () => Promise<void>): void {
    this.parts.push({ name, stop });
  }

  async stop(): Promise<void> {
    for (const { name, stop } of this.parts.splice(0).toReversed()) {
      try {
        await stop();
      } catch (error) {
        this.log.error({ err: error, part: name }, 'did not stop in order');
      }
    }
  }
}

/**
 * Brings up what the configuration asks for: database, mailbox, S3 endpoint where they are embedded, then the
 * application, then the samples of a first start.
 *
 * @throws AppError with a sentence that says what to do, or the signal's reason when it was aborted; whatever had been
 * started is stopped again.
 */
export async function startService(args: StartArguments): Promise<Service> {
  const started = new Started(args.log);
  try {
    return await bringUp(args, started);
  } catch (error) {
    await started.stop();
    throw error;
  }
}

async function bringUp(args: StartArguments, started: Started): Promise<Service> {
  const { config, log, signal } = args;
  openHome(config.SALLYPORT_HOME);
  const { url, adminUrl } = await openDatabase(args, started);
  signal.throwIfAborted();
  const stepwise = <T>(step: () => Promise<T>): Promise<T> => patiently(step, { log, signal });
  const schema = await stepwise(() => migrate(adminUrl, url, log));
  if (schema.newer.length > 0)
    log.info(schema, 'a newer version has migrated the database; this one serves on');
  signal.throwIfAborted();
  const sizes = poolSizes(config.DATABASE_POOL_SIZE);
  const database = new Database(url, { sizes, state: new DatabaseState(log) });
  started.add('database pool', () => database.close());
  await stepwise(() => warnOfConnections(config, database, log));
  const dataSource = await stepwise(async () =>
    (await createDataSource(url, ENTITIES, sizes.orm)).initialize(),
  );
  started.add('data source', () => dataSource.destroy());
  const clock = await stepwise(() => DatabaseClock.start(database, log));
  started.add('clock', async () => clock.stop());
  const listenUrl = config.DATABASE_LISTEN_URL ?? url;
  const notices = await Notices.start({ listenUrl, sender: database, log });
  started.add('notices', () => notices.stop());
  // Away and back again: it may be another server, with another clock; a failed measurement is repeated soon anyway.
  notices.onReconnect(() => void clock.measure().catch(() => undefined));
  const keyring = await stepwise(() => Keyring.open(database, masterKey(config), clock));
  const opened = openCredentials(config.SALLYPORT_HOME);
  const mailbox = await openMailbox(config, started);
  signal.throwIfAborted();

  const homeDoor = new HomeDoor(config.SALLYPORT_HOME);
  const adapter = await createAdapter(config, log);
  const module = AppModule.with({
    config,
    log,
    database,
    dataSource,
    clock,
    notices,
    keyring,
    mailbox,
    eventsToken: config.EVENTS_TOKEN ?? opened.credentials.eventsToken,
    homeDoor,
  });
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: nestLogger(log),
    bodyParser: false,
    abortOnError: false,
  });
  started.add('application', () => app.close());
  const guard = app.get(AccessGuard);
  await furnish(app, join(root, 'web', 'dist'), (request) => guard.identify(request));
  const credentials = await stepwise(() => bootstrapAccess(config, app, opened));
  if (config.embeddedS3)
    await stepwise(() => ownEmbeddedStore(database, config.SALLYPORT_HOME, config.embeddedDatabase));
  // What events name is known before the first one comes.
  await stepwise(() => openRegistry(config, app));
  // The endpoint first: workers that the application starts find their objects at once.
  const s3 = await openS3(config, log, app, credentials, started);
  signal.throwIfAborted();
  await app.init();
  signal.throwIfAborted();
  await listen(app, config);
  // The command line speaks to nodes that have the API.
  if (config.ROLES.includes('api'))
    homeDoor.open(
      app.getHttpServer().address() as AddressInfo,
      publicHost(config),
      credentials.apiKey?.keySecret,
    );
  // Whoever else could scan them has no way to this process's own objects.
  const scansHere = config.ROLES.includes('intake') && config.ROLES.includes('worker');
  // A service that goes on from a backup has its samples behind it, though its home is new.
  const isRestored = (await database.query('SELECT FROM restoration LIMIT 1')).length > 0;
  const seeded =
    s3 !== undefined && config.SEED_SAMPLES && scansHere && !isRestored
      ? await seedSamples(
          config.SALLYPORT_HOME,
          join(root, 'samples', 'samples.json'),
          app.get(ObjectStorage),
        )
      : 0;
  return { app, credentials, isFirstStart: opened.fresh, s3, seeded, close: () => started.stop() };
}

async function openDatabase(
  { config, log, onFatal }: StartArguments,
  started: Started,
): Promise<{ url: string; adminUrl: string }> {
  if (config.DATABASE_URL !== undefined)
    return { url: config.DATABASE_URL, adminUrl: config.DATABASE_ADMIN_URL ?? config.DATABASE_URL };
  const server = await startEmbeddedPostgres({
    directory: join(config.SALLYPORT_HOME, 'postgres'),
    log: (sentence) => log.info(sentence),
    onUnexpectedExit: () =>
      log.error('The embedded PostgreSQL ended by itself; it is started again. Nothing committed is lost.'),
    onLost: (reason) =>
      onFatal(
        new Unavailable(
          'postgresql',
          `The embedded PostgreSQL ended by itself and could not be started again: ${reason}`,
        ),
      ),
  });
  started.add('embedded PostgreSQL', () => server.stop());
  // The schema belongs to the role that the service logs in as.
  return { url: server.url, adminUrl: server.url };
}

/** What works today and is better mended: said once, at the start. */
async function warnOfConnections(config: Config, database: Database, log: Log): Promise<void> {
  if (config.DATABASE_URL !== undefined && isUnverified(config.DATABASE_URL)) {
    log.warn(
      'DATABASE_URL: sslmode=require encrypts but does not check whom it talks to; sslmode=verify-full with sslrootcert=<CA> does',
    );
  }
  const room = await connectionRoom(
    database,
    config.DATABASE_POOL_SIZE,
    await homeIdOf(config.SALLYPORT_HOME),
  );
  if (room.problem !== undefined) log.warn(room, 'PostgreSQL may run out of connections');
}

function masterKey(config: Config): Buffer {
  return config.SALLYPORT_KEY === undefined
    ? openMasterKey(config.SALLYPORT_HOME)
    : Buffer.from(config.SALLYPORT_KEY, 'base64');
}

async function openMailbox(config: Config, started: Started): Promise<EmbeddedMailbox | undefined> {
  if (config.SMTP_URL !== undefined) return undefined;
  const mailbox = await startMailbox({ directory: join(config.SALLYPORT_HOME, 'mailbox') });
  started.add('mailbox', () => mailbox.close());
  return mailbox;
}

/** The first admin and API key; another process on the same database may have been first. */
async function bootstrapAccess(
  config: Config,
  app: NestFastifyApplication,
  { credentials, fresh }: { credentials: Credentials; fresh: boolean },
): Promise<Credentials> {
  if (credentials.admin === undefined || credentials.apiKey === undefined) return credentials;
  // Mails to this address end in the embedded mailbox; a real one is set with REVIEW_TO.
  const email = config.SMTP_URL === undefined ? { email: 'admin@localhost' } : {};
  const made = await app
    .get(AccessService)
    .bootstrap(
      { ...credentials.admin, ...email },
      { id: credentials.apiKey.keyId, secret: credentials.apiKey.keySecret },
    );
  if (made || !fresh) return credentials;
  const shared: Credentials = { s3: credentials.s3, eventsToken: credentials.eventsToken };
  writeCredentials(config.SALLYPORT_HOME, shared);
  return shared;
}

async function openRegistry(config: Config, app: NestFastifyApplication): Promise<void> {
  await seedRegistry(app.get(RegistryChanges), config);
  await app.get(BucketRegistry).open();
}

async function openS3(
  config: Config,
  log: Log,
  app: NestFastifyApplication,
  credentials: Credentials,
  started: Started,
): Promise<S3Endpoint | undefined> {
  if (!config.embeddedS3) return undefined;
  const intake = app.get(IntakeService);
  const buckets = app.get(Buckets);
  const endpoint = await startS3Endpoint({
    directory: join(config.SALLYPORT_HOME, 's3'),
    host: config.HOST,
    port: config.S3_PORT,
    ...credentials.s3,
    eventBuckets: (bucket) =>
      bucket === EMBEDDED_UPLOADS || buckets.find(EMBEDDED_ENDPOINT, bucket) !== undefined,
    onEvent: async (message) => {
      await intake.accept(message, { kind: 'embedded', endpointId: EMBEDDED_ENDPOINT });
    },
    logger: log,
  }).catch((error: unknown) => {
    if (!(error instanceof AddressUnusable)) throw error;
    const address = `${config.HOST}:${config.S3_PORT}`;
    throw new ConfigError(
      `S3_PORT: the embedded S3 endpoint cannot listen on ${address}. Stop what uses it, or set S3_PORT to another one.`,
      { cause: error },
    );
  });
  started.add('embedded S3 endpoint', () => endpoint.close());
  await endpoint.createBucket(EMBEDDED_UPLOADS, { versioning: true });
  await endpoint.createBucket(EMBEDDED_QUARANTINE, { versioning: true });
  app.get(Endpoints).registerEmbedded({ endpoint: endpoint.url, ...credentials.s3 });
  return endpoint;
}

// Node's 511 are full in a storm of a server that opens a connection for each event (versitygw), and one that waits for
// its turn too long is an event lost, as nobody sends it again. The system bounds it too (net.core.somaxconn, 4096).
const WAITING_CONNECTIONS = 4096;

async function listen(app: NestFastifyApplication, config: Config): Promise<void> {
  try {
    await app.listen({ port: config.PORT, host: config.HOST, backlog: WAITING_CONNECTIONS });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new ConfigError(
        `PORT: ${config.HOST}:${config.PORT} is taken. Stop what uses it, or set PORT to another one.`,
        { cause: error },
      );
    if (code === 'EACCES')
      throw new ConfigError(`PORT: this user may not listen on ${config.PORT}. Use one above 1023.`, {
        cause: error,
      });
    throw new ConfigError(`HOST: cannot listen on ${config.HOST}:${config.PORT}: ${message}`, {
      cause: error,
    });
  }
}
