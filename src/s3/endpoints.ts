import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { Keyring } from '../access/keyring.js';
import type { Config } from '../config.js';
import { NotFound } from '../errors.js';
import { EgressRefused } from '../outbound/egress/egress.js';
import { limitAnswers } from './answer-limits.js';
import { CONFIGURED_ENDPOINT, EMBEDDED_ENDPOINT } from './buckets.js';
import { addTerms, watchCalls, type CallTerms } from './call-terms.js';
import { commonSettings, registeredSettings } from './client-settings.js';
import { OutOfReach } from './out-of-reach.js';
import { Reachability } from './reachability.js';
import type { RegisteredEndpoint } from './registry/registered.js';

/** How to reach the embedded endpoint; known only after it started. */
export interface EmbeddedS3Credentials {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region?: string | undefined;
}

/** What is registered, asked for with every client. */
export interface EndpointSource {
  endpoint(id: string): RegisteredEndpoint | undefined;
  /** The terms on which a bucket may be called, its own or as the quarantine of others. */
  termsOf(endpointId: string, bucket: string): CallTerms | undefined;
}

interface Registered {
  readonly source: EndpointSource;
  readonly keyring: Keyring;
}

interface Held {
  readonly client: S3Client;
  /** Of the registered endpoint; 0 for the process's own. */
  readonly version: number;
}

// A changed endpoint's old client may still be reading a large object.
const RETIRED_MS = 15 * 60_000;

/**
 * The S3 clients by endpoint id. An event or a request never chooses the address: it names a registered bucket,
 * and the bucket's policy names the endpoint. Redirects to another host are not followed.
 */
export class Endpoints {
  private readonly clients = new Map<string, Held>();
  private readonly retired = new Map<S3Client, NodeJS.Timeout>();

  constructor(
    private readonly config: Config,
    /** Without it only the endpoints of the configuration are known. */
    private readonly registered?: Registered,
    readonly reachability: Reachability = new Reachability(),
  ) {}

  /** Called by main once the embedded endpoint listens; a second call replaces the client. */
  registerEmbedded(credentials: EmbeddedS3Credentials): void {
    const { endpoint, region = 'us-east-1', accessKeyId, secretAccessKey } = credentials;
    const keys = { accessKeyId, secretAccessKey };
    this.hold(EMBEDDED_ENDPOINT, 0, {
      ...commonSettings(true),
      endpoint,
      region,
      forcePathStyle: true,
      credentials: keys,
    });
  }

  /** @throws OutOfReach when this process has no way there; NotFound for an unknown id. */
  client(endpointId: string): S3Client {
    const why = this.reachability.heldBack(endpointId);
    if (why !== undefined) throw new OutOfReach(endpointId, why);
    const known = this.clients.get(endpointId);
    if (endpointId === EMBEDDED_ENDPOINT) {
      if (known !== undefined) return known.client;
      throw new OutOfReach(endpointId, NOT_EMBEDDED);
    }
    if (endpointId === CONFIGURED_ENDPOINT)
      return known?.client ?? this.hold(endpointId, 0, this.configured());
    const endpoint = this.registered?.source.endpoint(endpointId);
    if (endpoint === undefined || this.registered === undefined) {
      throw new NotFound(`No S3 endpoint ${endpointId} is registered.`);
    }
    if (known?.version === endpoint.version) return known.client;
    try {
      const settings = registeredSettings(endpoint, this.config, this.registered.keyring);
      return this.hold(endpointId, endpoint.version, settings);
    } catch (error) {
      if (error instanceof EgressRefused) throw new OutOfReach(endpointId, error.message, { cause: error });
      throw error;
    }
  }

  /** Why this process has no way to an endpoint, as far as it knows; undefined when nothing is known against it. */
  trouble(endpointId: string): string | undefined {
    if (endpointId === EMBEDDED_ENDPOINT && !this.clients.has(endpointId)) return NOT_EMBEDDED;
    return this.reachability.trouble(endpointId)?.why;
  }

  /** Closes idle connections. */
  close(): void {
    for (const { client } of this.clients.values()) client.destroy();
    this.clients.clear();
    for (const [client, timer] of this.retired) {
      clearTimeout(timer);
      client.destroy();
    }
    this.retired.clear();
  }

  private hold(endpointId: string, version: number, settings: S3ClientConfig): S3Client {
    const old = this.clients.get(endpointId);
    if (old !== undefined) this.retire(old.client);
    const client = limitAnswers(new S3Client(settings));
    addTerms(client, (bucket) => this.registered?.source.termsOf(endpointId, bucket));
    watchCalls(client, endpointId, this.reachability);
    this.clients.set(endpointId, { client, version });
    this.reachability.answered(endpointId);
    return client;
  }

  private retire(client: S3Client): void {
    const timer = setTimeout(() => {
      this.retired.delete(client);
      client.destroy();
    }, RETIRED_MS);
    timer.unref();
    this.retired.set(client, timer);
  }

  private configured(): S3ClientConfig {
    const { S3_REGION: region, S3_FORCE_PATH_STYLE: forcePathStyle, S3_ENDPOINT: endpoint } = this.config;
    // Whoever sets the environment may name a private network; metadata services stay closed.
    return { ...commonSettings(true), region, forcePathStyle, ...(endpoint !== undefined && { endpoint }) };
  }
}

const NOT_EMBEDDED = 'the embedded S3 endpoint runs in another process, or nowhere (EMBEDDED_S3)';
