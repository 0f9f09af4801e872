import { Inject, Injectable } from '@nestjs/common';
import { Keyring } from '../../access/keyring.js';
import { sealText } from '../../access/sealing.js';
import type { Instant } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Conflict, InvalidInput, NotFound } from '../../errors.js';
import { BucketRegistry } from './bucket-registry.js';
import { differences } from './differences.js';
import {
  endpointView,
  type CredentialsInput,
  type EndpointPatch,
  type EndpointView,
  type NewEndpoint,
} from './endpoint-view.js';
import { checkUrl, normalisedUrl } from './endpoint-url.js';
import { refuseStale } from './expected-version.js';
import {
  keysOf,
  type EndpointCredentials,
  type RegisteredEndpoint,
  type RegistrySnapshot,
} from './registered.js';
import { RegistryChanges, type RegistryChange } from './registry-changes.js';
import { bareHost, isAws } from './servers.js';

type Wanted = Omit<EndpointPatch, 'version'>;

// To tell one key from another is enough.
const HINT_CHARACTERS = 4;
const MAX_NAMED = 5;

/** Registers S3 endpoints, changes and removes them; each deed is in the audit, and no key is. */
@Injectable()
export class EndpointsService {
  constructor(
    private readonly registry: BucketRegistry,
    private readonly changes: RegistryChanges,
    private readonly keyring: Keyring,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  list(): readonly EndpointView[] {
    return this.registry.current.endpoints.map(endpointView);
  }

  /** @throws NotFound */
  get(id: string): EndpointView {
    return endpointView(present(this.registry.current, id));
  }

  /** @throws Conflict when the id is taken, InvalidInput for an address that may not be called, or a loop. */
  async register({ id, ...wanted }: NewEndpoint, actor: string): Promise<EndpointView> {
    const address = await this.checked(wanted.url);
    return this.make((now, at) => {
      const known = now.endpoints.find((endpoint) => endpoint.id === id);
      if (known !== undefined)
        throw new Conflict(`There is an endpoint ${id} already; change that one.`, {
          version: known.version,
        });
      const fresh: RegisteredEndpoint = {
        id,
        kind: 'registered',
        region: 'us-east-1',
        pathStyle: address.url !== undefined,
        credentials: { kind: 'default' },
        version: 0,
        createdAt: at,
        updatedAt: at,
        updatedBy: actor,
      };
      const made = this.applied({ ...fresh, ...address }, wanted, { actor, at });
      const data = { ...endpointView(made) };
      return {
        endpoints: [made],
        audit: [{ at, actor, action: 'endpoint.registered', subject: subjectOf(id), data }],
      };
    });
  }

  /** @throws NotFound, Conflict when another version stands or it is not for people to change, InvalidInput. */
  async change(
    id: string,
    { expected, wanted }: { readonly expected: number; readonly wanted: Wanted },
    actor: string,
  ): Promise<EndpointView> {
    refuseOwn(present(this.registry.current, id));
    const address = await this.checked(wanted.url);
    return this.make((now, at) => {
      const before = present(now, id);
      refuseOwn(before);
      refuseStale(before, expected);
      const after = this.applied({ ...before, ...address }, wanted, { actor, at });
      const changed = {
        ...differences({ ...endpointView(before) }, { ...endpointView(after) }),
        ...(wanted.credentials !== undefined && { credentialsSetAnew: true }),
      };
      return {
        endpoints: [after],
        audit: [{ at, actor, action: 'endpoint.changed', subject: subjectOf(id), data: { changed } }],
      };
    });
  }

  /** @throws Conflict while buckets are registered on it. */
  async remove(id: string, expected: number, actor: string): Promise<void> {
    await this.changes.make((now, at) => {
      const before = present(now, id);
      refuseOwn(before);
      refuseStale(before, expected);
      const used = now.buckets.filter(
        ({ endpointId, removedAt }) => endpointId === id && removedAt === undefined,
      );
      if (used.length > 0) {
        const names = used.slice(0, MAX_NAMED).map(({ bucket }) => bucket);
        throw new Conflict(`Buckets are registered on ${id} (${names.join(', ')}); remove them first.`, {
          buckets: names,
        });
      }
      const data = { ...endpointView(before) };
      return {
        removedEndpoint: id,
        audit: [{ at, actor, action: 'endpoint.removed', subject: subjectOf(id), data }],
      };
    });
  }

  private async make(
    decide: (
      now: RegistrySnapshot,
      at: Instant,
    ) => RegistryChange & { endpoints: readonly [RegisteredEndpoint] },
  ): Promise<EndpointView> {
    const change = await this.changes.make(decide);
    const [made] = change?.endpoints ?? [];
    if (made === undefined) throw new Error('a change of an endpoint changed none');
    return endpointView(made);
  }

  /** The address as it is kept; nothing when it is not to change. */
  private async checked(url: string | null | undefined): Promise<{ url?: string | undefined }> {
    if (url === undefined) return {};
    if (url === null) return { url: undefined };
    const normalised = normalisedUrl(url);
    await checkUrl(normalised, this.config.S3_ALLOW_PRIVATE_ENDPOINTS);
    return { url: normalised };
  }

  private applied(
    before: RegisteredEndpoint,
    wanted: Wanted,
    { actor, at }: { readonly actor: string; readonly at: Instant },
  ): RegisteredEndpoint {
    const after: RegisteredEndpoint = {
      ...before,
      ...(wanted.region !== undefined && { region: wanted.region }),
      ...(wanted.pathStyle !== undefined && { pathStyle: wanted.pathStyle }),
      ...(wanted.credentials !== undefined && this.sealed(before.id, wanted.credentials)),
      version: before.version + 1,
      updatedAt: at,
      updatedBy: actor,
    };
    if (
      after.credentials.kind === 'default' &&
      after.url !== undefined &&
      !isAws(bareHost(new URL(after.url)))
    ) {
      throw InvalidInput.field(
        'credentials',
        'the default chain is for AWS: what this process may do is not shown to another server. Give keys or a role',
      );
    }
    return after;
  }

  private sealed(
    id: string,
    given: CredentialsInput,
  ): { credentials: EndpointCredentials; accessKeyHint: string | undefined } {
    const keys = given.kind === 'keys' ? given : given.kind === 'role' ? given.keys : undefined;
    const sealedKeys =
      keys === undefined
        ? undefined
        : sealText(
            this.keyring.for('credentials'),
            JSON.stringify([keys.accessKeyId, keys.secretAccessKey]),
            keysOf(id),
          );
    const accessKeyHint = keys && `…${keys.accessKeyId.slice(-HINT_CHARACTERS)}`;
    switch (given.kind) {
      case 'default':
        return { credentials: { kind: 'default' }, accessKeyHint };
      case 'keys':
        return { credentials: { kind: 'keys', sealedKeys: sealedKeys ?? '' }, accessKeyHint };
      case 'role': {
        const { roleArn, externalId } = given;
        return { credentials: { kind: 'role', roleArn, externalId, sealedKeys }, accessKeyHint };
      }
      default:
        return given satisfies never;
    }
  }
}

function present(now: RegistrySnapshot, id: string): RegisteredEndpoint {
  const endpoint = now.endpoints.find((one) => one.id === id);
  if (endpoint === undefined) throw new NotFound(`No S3 endpoint ${id} is registered.`);
  return endpoint;
}

function refuseOwn({ id, kind }: RegisteredEndpoint): void {
  if (kind === 'registered') return;
  const where =
    kind === 'embedded'
      ? 'it comes with EMBEDDED_S3'
      : 'it is S3_ENDPOINT, S3_REGION and the SDK’s credentials';
  throw new Conflict(
    `The endpoint ${id} belongs to the configuration: ${where}. Change that, or register another.`,
  );
}

const subjectOf = (id: string): string => `endpoint:${id}`;
