import type { Server } from 'node:http';
import { checkBucketName } from './bucket-handlers.js';
import { EventDelivery } from './event-delivery.js';
import type { S3EventMessage } from './event-message.js';
import { silentLogger } from './log.js';
import type { EndpointLogger } from './log.js';
import { DEFAULT_TIMINGS, makeServer } from './server.js';
import type { ServerTimings } from './server.js';
import { Store } from './store.js';
import { AddressUnusable } from './store-errors.js';

// A clean stop is over within two seconds: this long for requests under way, the rest for files.
const CLOSE_GRACE_MS = 1_000;

export interface S3EndpointOptions {
  /** Where everything is kept; made when missing. One process at a time. */
  readonly directory: string;
  readonly host?: string;
  /** 0 for any free one. */
  readonly port?: number;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region?: string;
  /** Receives S3's notification messages; resolves when a message is safe with the receiver. Without it no events are made. */
  readonly onEvent?: (message: S3EventMessage) => Promise<void>;
  /** The buckets whose objects make events; all by default. */
  readonly eventBuckets?: readonly string[] | ((bucket: string) => boolean);
  /** Milliseconds before an event that was not taken is sent again: at first, and at most. */
  readonly eventRetryMs?: { readonly first: number; readonly most: number };
  readonly logger?: EndpointLogger;
  readonly now?: () => Date;
  readonly timings?: Partial<ServerTimings>;
}

export interface S3Endpoint {
  readonly port: number;
  /** As in `http://127.0.0.1:9000`. */
  readonly url: string;
  /** Makes a bucket, or leaves an existing one as it is. */
  createBucket(name: string, options?: { readonly versioning?: boolean }): Promise<void>;
  /** Ends requests under way within two seconds and closes all files. */
  close(): Promise<void>;
}

/**
 * Starts the embedded S3 endpoint: a small, honest S3 server for trying out, in this process.
 *
 * It checks signatures, keeps versions, tags, uploads in parts and conditions as S3 does, and answers 501 to what it
 * does not do. What it has acknowledged survives `kill -9`. It is one process on one disk with its index in
 * memory, and addresses buckets by path only (`http://host/bucket/key`, `forcePathStyle` in the SDKs); for more
 * than trying out, use a real object store.
 *
 * Throws `AddressUnusable`, `DirectoryInUse` and `JournalDamaged`.
 */
export async function startS3Endpoint(options: S3EndpointOptions): Promise<S3Endpoint> {
  const { accessKeyId, secretAccessKey, region = 'us-east-1', now = () => new Date() } = options;
  const logger = options.logger ?? silentLogger;
  const makesEvents = options.onEvent === undefined ? () => false : bucketFilter(options.eventBuckets);
  const store = await Store.open({ directory: options.directory, now, logger, makesEvents });
  const server = makeServer({
    credentials: { accessKeyId, secretAccessKey, region },
    context: { store, region, now },
    logger,
    timings: { ...DEFAULT_TIMINGS, ...options.timings },
  });
  const host = options.host ?? '127.0.0.1';
  const port = await listen(server, host, options.port ?? 0).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  const retryMs = options.eventRetryMs ?? { first: 200, most: 30_000 };
  const delivery =
    options.onEvent && new EventDelivery({ store, region, logger, onEvent: options.onEvent, retryMs });
  delivery?.start();
  let closing: Promise<void> | undefined;
  return {
    port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    createBucket: async (name, { versioning = false } = {}) => {
      checkBucketName(name);
      if (!store.catalog.buckets.has(name)) await store.createBucket(name, versioning ? 'Enabled' : '');
    },
    close: () => (closing ??= close(server, delivery, store)),
  };
}

const bucketFilter = (buckets: S3EndpointOptions['eventBuckets']): ((bucket: string) => boolean) => {
  if (buckets === undefined) return () => true;
  return typeof buckets === 'function' ? buckets : (bucket) => buckets.includes(bucket);
};

async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === 'EADDRINUSE' ? 'it is taken' : (cause.code ?? cause.message);
      const message = `The S3 endpoint cannot listen on ${host}:${port}: ${reason}. Stop what uses it, or choose another address.`;
      reject(new AddressUnusable(message, { cause }));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

async function close(server: Server, delivery: EventDelivery | undefined, store: Store): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  await Promise.all([ended, delivery?.stop(CLOSE_GRACE_MS)]);
  clearTimeout(cut);
  await store.close();
}
