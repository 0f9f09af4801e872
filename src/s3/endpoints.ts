import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { Config } from '../config.js';
import { NotFound, Unavailable } from '../errors.js';
import { limitAnswers } from './answer-limits.js';
import { CONFIGURED_ENDPOINT, EMBEDDED_ENDPOINT } from './buckets.js';

/** How to reach the embedded endpoint; known only after it started. */
export interface EmbeddedS3Credentials {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region?: string | undefined;
}

const CONNECT_TIMEOUT_MS = 5_000;
// Until the first byte of the answer; bodies have an idle timeout of their own, because a big one may take hours.
const ANSWER_TIMEOUT_MS = 30_000;
const MAX_SOCKETS = 64;

/**
 * The S3 clients by endpoint id. An event or a request never chooses the address: it names a registered bucket,
 * and the bucket's policy names the endpoint. Redirects to another host are not followed.
 */
export class Endpoints {
  private readonly clients = new Map<string, S3Client>();

  constructor(private readonly config: Config) {}

  /** Called by main once the embedded endpoint listens; a second call replaces the client. */
  registerEmbedded(credentials: EmbeddedS3Credentials): void {
    this.clients.get(EMBEDDED_ENDPOINT)?.destroy();
    this.clients.set(
      EMBEDDED_ENDPOINT,
      limitAnswers(
        new S3Client({
          ...shared,
          endpoint: credentials.endpoint,
          region: credentials.region ?? 'us-east-1',
          forcePathStyle: true,
          credentials: {
            accessKeyId: credentials.accessKeyId,
            secretAccessKey: credentials.secretAccessKey,
          },
        }),
      ),
    );
  }

  /** @throws Unavailable when the embedded endpoint has not started; NotFound for an unknown id. */
  client(endpointId: string): S3Client {
    const known = this.clients.get(endpointId);
    if (known !== undefined) return known;
    if (endpointId === EMBEDDED_ENDPOINT) {
      throw new Unavailable(
        's3',
        'The embedded S3 endpoint is not running. Set EMBEDDED_S3=on and start again.',
      );
    }
    if (endpointId !== CONFIGURED_ENDPOINT) throw new NotFound(`No S3 endpoint ${endpointId} is registered.`);
    const client = this.configured();
    this.clients.set(CONFIGURED_ENDPOINT, client);
    return client;
  }

  /** Closes idle connections. */
  close(): void {
    for (const client of this.clients.values()) client.destroy();
    this.clients.clear();
  }

  private configured(): S3Client {
    return limitAnswers(
      new S3Client({
        ...shared,
        region: this.config.S3_REGION,
        forcePathStyle: this.config.S3_FORCE_PATH_STYLE,
        ...(this.config.S3_ENDPOINT !== undefined && { endpoint: this.config.S3_ENDPOINT }),
      }),
    );
  }
}

const shared: S3ClientConfig = {
  maxAttempts: 4,
  // Slows down what it sends while S3 answers SlowDown, and comes back by itself.
  retryMode: 'adaptive',
  followRegionRedirects: false,
  // Not every S3-compatible server knows the newer checksum trailers; bytes are checked by our own SHA-256.
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
  requestHandler: {
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: ANSWER_TIMEOUT_MS,
    throwOnRequestTimeout: true,
    socketTimeout: 0,
    httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
    httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
  },
};
