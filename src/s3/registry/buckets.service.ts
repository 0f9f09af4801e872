import { Injectable } from '@nestjs/common';
import { Keyring } from '../../access/keyring.js';
import { openText, sealText } from '../../access/sealing.js';
import type { Instant } from '../../clock.js';
import { Conflict, InvalidInput, NotFound } from '../../errors.js';
import { bucketView, type BucketPatch, type BucketView, type NewBucket } from './bucket-view.js';
import { BucketRegistry } from './bucket-registry.js';
import { differences } from './differences.js';
import { refuseStale } from './expected-version.js';
import { passwordsOf, type RegisteredBucket, type RegistrySnapshot } from './registered.js';
import { RegistryChanges, type RegistryChange } from './registry-changes.js';

type Wanted = Omit<BucketPatch, 'version'>;
/** Who changes something, and when. */
interface Deed {
  readonly actor: string;
  readonly at: Instant;
}

/** Registers source buckets, changes and removes them; each deed is in the audit. */
@Injectable()
export class BucketsService {
  constructor(
    private readonly registry: BucketRegistry,
    private readonly changes: RegistryChanges,
    private readonly keyring: Keyring,
  ) {}

  /** In the order of endpoint and name. */
  list(): readonly BucketView[] {
    return this.registry.current.buckets
      .filter(({ removedAt }) => removedAt === undefined)
      .map((bucket) => bucketView(bucket));
  }

  /** @throws NotFound */
  get(endpointId: string, bucket: string): BucketView {
    return bucketView(present(this.registry.current, endpointId, bucket));
  }

  /** Clear text, for a scanner only. */
  archivePasswords(endpointId: string, bucket: string): readonly string[] {
    const sealed = this.registry.find(endpointId, bucket)?.sealedArchivePasswords;
    if (sealed === undefined) return [];
    return JSON.parse(openText(this.keyring, sealed, passwordsOf(endpointId, bucket))) as string[];
  }

  /** @throws Conflict when it is there already, InvalidInput for an unknown endpoint or a loop. */
  async register({ endpointId, bucket, ...wanted }: NewBucket, actor: string): Promise<BucketView> {
    return this.make((now, at) => {
      if (!now.endpoints.some(({ id }) => id === endpointId)) throw unknownEndpoint(now, endpointId);
      const known = find(now, endpointId, bucket);
      if (known !== undefined && known.removedAt === undefined) {
        throw new Conflict(`${bucket} is registered already on ${endpointId}; change that one.`, {
          version: known.version,
        });
      }
      const made = this.applied(fresh(endpointId, bucket, known?.version ?? 0, { actor, at }), wanted, {
        actor,
        at,
      });
      const data = { ...bucketView(made) };
      return {
        buckets: [made],
        audit: [{ at, actor, action: 'bucket.registered', subject: subjectOf(made), data }],
      };
    });
  }

  /** @throws NotFound, Conflict when another version stands, InvalidInput for a loop. */
  async change(
    endpointId: string,
    bucket: string,
    patch: { readonly expected: number; readonly wanted: Wanted },
    actor: string,
  ): Promise<BucketView> {
    return this.make((now, at) => {
      const before = present(now, endpointId, bucket);
      refuseStale(before, patch.expected);
      const after = this.applied(before, patch.wanted, { actor, at });
      const changed = {
        ...differences({ ...bucketView(before) }, { ...bucketView(after) }),
        ...(patch.wanted.archivePasswords !== undefined && { archivePasswords: 'set anew' }),
      };
      const audit = { at, actor, action: 'bucket.changed', subject: subjectOf(after), data: { changed } };
      return { buckets: [after], audit: [audit] };
    });
  }

  /** Nothing new is scanned; what is under way ends by its policy. */
  async remove(endpointId: string, bucket: string, expected: number, actor: string): Promise<void> {
    await this.changes.make((now, at) => {
      const before = present(now, endpointId, bucket);
      refuseStale(before, expected);
      const after: RegisteredBucket = {
        ...before,
        managedBy: 'people',
        version: before.version + 1,
        updatedAt: at,
        updatedBy: actor,
        removedAt: at,
      };
      const data = { ...bucketView(before) };
      return {
        buckets: [after],
        audit: [{ at, actor, action: 'bucket.removed', subject: subjectOf(after), data }],
      };
    });
  }

  private async make(
    decide: (now: RegistrySnapshot, at: Instant) => RegistryChange & { buckets: readonly [RegisteredBucket] },
  ): Promise<BucketView> {
    const change = await this.changes.make(decide);
    const [made] = change?.buckets ?? [];
    if (made === undefined) throw new Error('a change of a bucket changed none');
    return bucketView(made);
  }

  private applied(before: RegisteredBucket, wanted: Wanted, { actor, at }: Deed): RegisteredBucket {
    const { archivePasswords, quotas, ...plain } = wanted;
    const cleared = Object.fromEntries(
      Object.entries(plain)
        .filter(([, value]) => value !== undefined)
        .map(([field, value]) => [field, value ?? undefined]),
    );
    const after: RegisteredBucket = {
      ...before,
      ...cleared,
      ...(quotas !== undefined && {
        quotas: {
          maxRunning: quotas?.maxRunning ?? undefined,
          maxRunningBytes: quotas?.maxRunningBytes ?? undefined,
        },
      }),
      ...(archivePasswords !== undefined && this.sealed(before, archivePasswords)),
      managedBy: 'people',
      version: before.version + 1,
      updatedAt: at,
      updatedBy: actor,
    };
    if (after.actionMode === 'quarantine' && after.quarantineBucket === undefined) {
      throw InvalidInput.field(
        'quarantineBucket',
        'is needed for the action mode quarantine: the bucket that objects are moved to',
      );
    }
    return after;
  }

  private sealed({ endpointId, bucket }: RegisteredBucket, passwords: readonly string[]) {
    const text = JSON.stringify(passwords);
    return {
      archivePasswordCount: passwords.length,
      sealedArchivePasswords:
        passwords.length === 0
          ? undefined
          : sealText(this.keyring.for('credentials'), text, passwordsOf(endpointId, bucket)),
    };
  }
}

const fresh = (
  endpointId: string,
  bucket: string,
  version: number,
  { actor, at }: Deed,
): RegisteredBucket => ({
  endpointId,
  bucket,
  actionMode: 'tag',
  required: ['secrets', 'malware'],
  archivePasswordCount: 0,
  requesterPays: false,
  enabled: true,
  managedBy: 'people',
  version,
  createdAt: at,
  updatedAt: at,
  updatedBy: actor,
});

const find = (now: RegistrySnapshot, endpointId: string, name: string): RegisteredBucket | undefined =>
  now.buckets.find(({ endpointId: id, bucket }) => id === endpointId && bucket === name);

function present(now: RegistrySnapshot, endpointId: string, name: string): RegisteredBucket {
  const bucket = find(now, endpointId, name);
  if (bucket === undefined || bucket.removedAt !== undefined)
    throw new NotFound(`No bucket ${name} is registered on endpoint ${endpointId}.`);
  return bucket;
}

function unknownEndpoint(now: RegistrySnapshot, endpointId: string): InvalidInput {
  const ids = now.endpoints.slice(0, 20).map(({ id }) => id);
  return InvalidInput.field(
    'endpointId',
    `there is no endpoint ${endpointId}; register it first, or use one of: ${ids.join(', ') || 'none yet'}`,
  );
}

const subjectOf = ({ endpointId, bucket }: RegisteredBucket): string => `bucket:${endpointId}/${bucket}`;
