import type { AuditEvent } from '../../audit/audit.js';
import type { Instant } from '../../clock.js';
import { publicHost, type Config } from '../../config.js';
import { ConfigError, InvalidInput } from '../../errors.js';
import {
  CONFIGURED_ENDPOINT,
  ConfiguredBuckets,
  EMBEDDED_ENDPOINT,
  EMBEDDED_QUARANTINE,
  type BucketPolicy,
} from '../buckets.js';
import { bucketView } from './bucket-view.js';
import { differences } from './differences.js';
import { endpointView } from './endpoint-view.js';
import type { Reserved } from './loops.js';
import type { RegisteredBucket, RegisteredEndpoint, RegistrySnapshot } from './registered.js';
import type { RegistryChange, RegistryChanges } from './registry-changes.js';

const ACTOR = 'system:configuration';

/**
 * Puts what this process's configuration names into the registry: buckets that are not there yet, and changes of those that
 * nobody has touched. What a person changed stays, and what a person removed stays away.
 *
 * @throws ConfigError when the configuration and what is registered make a loop.
 */
export async function seedRegistry(changes: RegistryChanges, config: Config): Promise<void> {
  const wanted = new ConfiguredBuckets(config).list();
  try {
    await changes.make((now, at) => changeFor(config, wanted, now, at));
  } catch (error) {
    if (error instanceof InvalidInput)
      throw new ConfigError(`S3_BUCKETS, QUARANTINE_BUCKET: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Buckets that this configuration makes the service write to for itself. */
export function reservedBuckets(config: Config): readonly Reserved[] {
  const { PAYLOAD_BUCKET: payloads, QUARANTINE_BUCKET: quarantine } = config;
  const configured = (bucket: string, use: string): Reserved => ({
    endpointId: CONFIGURED_ENDPOINT,
    bucket,
    use,
  });
  return [
    ...(payloads === undefined ? [] : [configured(payloads, 'large values of workflows')]),
    ...(quarantine === undefined ? [] : [configured(quarantine, 'quarantine')]),
    { endpointId: EMBEDDED_ENDPOINT, bucket: EMBEDDED_QUARANTINE, use: 'quarantine' },
  ];
}

function changeFor(
  config: Config,
  wanted: readonly BucketPolicy[],
  now: RegistrySnapshot,
  at: Instant,
): RegistryChange | undefined {
  const audit: AuditEvent[] = [];
  const endpoints = ownEndpoints(config, at).flatMap((endpoint) => {
    const known = now.endpoints.find(({ id }) => id === endpoint.id);
    if (known === undefined) {
      audit.push(told(at, 'endpoint.seeded', `endpoint:${endpoint.id}`, { ...endpointView(endpoint) }));
      return [endpoint];
    }
    const made = { ...endpoint, version: known.version + 1, createdAt: known.createdAt };
    const changed = differences({ ...endpointView(known) }, { ...endpointView(made) });
    if (Object.keys(changed).length === 0) return [];
    audit.push(told(at, 'endpoint.changed', `endpoint:${endpoint.id}`, { changed }));
    return [made];
  });
  const buckets = wanted.flatMap((policy) => {
    const known = now.buckets.find(
      ({ endpointId, bucket }) => endpointId === policy.endpointId && bucket === policy.bucket,
    );
    const subject = `bucket:${policy.endpointId}/${policy.bucket}`;
    if (known === undefined) {
      const made = seeded(policy, { version: 1, createdAt: at }, at);
      audit.push(told(at, 'bucket.seeded', subject, { ...bucketView(made) }));
      return [made];
    }
    if (known.managedBy === 'people') return [];
    const made = seeded(policy, { version: known.version + 1, createdAt: known.createdAt }, at);
    const changed = differences({ ...bucketView(known) }, { ...bucketView(made) });
    if (Object.keys(changed).length === 0) return [];
    audit.push(told(at, 'bucket.changed', subject, { changed }));
    return [made];
  });
  return endpoints.length + buckets.length === 0 ? undefined : { endpoints, buckets, audit };
}

function ownEndpoints(config: Config, at: Instant): readonly RegisteredEndpoint[] {
  const common = {
    credentials: { kind: 'default' as const },
    region: config.S3_REGION,
    version: 1,
    createdAt: at,
    updatedAt: at,
    updatedBy: ACTOR,
  };
  const embedded: RegisteredEndpoint = {
    ...common,
    id: EMBEDDED_ENDPOINT,
    kind: 'embedded',
    url: `http://${publicHost(config)}:${config.S3_PORT}`,
    region: 'us-east-1',
    pathStyle: true,
  };
  const configured: RegisteredEndpoint = {
    ...common,
    id: CONFIGURED_ENDPOINT,
    kind: 'configured',
    url: config.S3_ENDPOINT,
    pathStyle: config.S3_FORCE_PATH_STYLE,
  };
  const usesConfigured =
    config.S3_ENDPOINT !== undefined || config.S3_BUCKETS.length > 0 || config.PAYLOAD_BUCKET !== undefined;
  return [...(config.embeddedS3 ? [embedded] : []), ...(usesConfigured ? [configured] : [])];
}

const seeded = (
  policy: BucketPolicy,
  row: Pick<RegisteredBucket, 'version' | 'createdAt'>,
  at: Instant,
): RegisteredBucket => ({
  ...policy,
  ...row,
  archivePasswordCount: 0,
  requesterPays: false,
  enabled: true,
  managedBy: 'configuration',
  updatedAt: at,
  updatedBy: ACTOR,
});

const told = (
  at: Instant,
  action: string,
  subject: string,
  data: Readonly<Record<string, unknown>>,
): AuditEvent => ({
  at,
  actor: ACTOR,
  action,
  subject,
  data,
});
