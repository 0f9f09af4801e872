import { Injectable } from '@nestjs/common';
import { ListingBroken } from '../../s3/listing-guard.js';
import { isImmutable, ObjectStorage, type ObjectHead, type PinnedObject } from '../../s3/object-storage.js';
import { StorageError } from '../../s3/storage-error.js';
import { Ledger, type ScanContext } from '../../verdicts/ledger.js';
import { currentOf } from './subject.js';

/** What a scan looks at; or that another row already stands for it. */
export type Subject = Found | { readonly kind: 'duplicate'; readonly ofScanId: string };

interface Found {
  readonly kind: 'found';
  readonly scan: ScanContext;
  readonly object: PinnedObject;
  readonly head: ObjectHead;
  /** Why older versions were not looked at, where they should have been. */
  readonly note?: string | undefined;
}

/**
 * Finds the upload that an event told of. Some servers (versitygw 1.8, moto 5) name no version in the events of buckets
 * that keep versions: the version is then the current one, or, when that is another upload by now, one that has the
 * event's ETag. It is written to the ledger, so that whatever follows means this version and no other.
 */
@Injectable()
export class VersionPin {
  constructor(
    private readonly ledger: Ledger,
    private readonly storage: ObjectStorage,
  ) {}

  /** @throws StorageError */
  async of(scan: ScanContext, signal: AbortSignal): Promise<Subject> {
    if (scan.ref.versionId !== undefined) return this.asItIs(scan);
    let found: Found;
    try {
      found = await this.asItIs(scan);
    } catch (error) {
      if (!isHidden(error)) throw error;
      const { subject, note } = await this.older(scan, undefined, signal);
      if (subject === undefined) throw noted(error, note);
      return subject;
    }
    const { head } = found;
    // A server that keeps no versions names none.
    if (head.versionId === undefined) return found;
    if (isAnother(scan, head)) {
      const { subject, note } = await this.older(scan, head, signal);
      return subject ?? { ...found, note };
    }
    // What was looked at before keeps the identity that it has.
    if (!isImmutable(head.versionId) || scan.facts !== undefined) return found;
    return this.pin(scan, [head.versionId], head);
  }

  private async asItIs(scan: ScanContext): Promise<Found> {
    return { kind: 'found', scan, ...(await currentOf(this.storage, scan)) };
  }

  /** The upload among the versions that are not current; nothing when it is not there, or may not be looked for. */
  private async older(
    scan: ScanContext,
    current: ObjectHead | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly subject?: Subject; readonly note?: string }> {
    const eTag = scan.facts?.eTag ?? scan.told?.eTag;
    if (eTag === undefined) return {};
    try {
      const versions = await this.storage.versionsLike(scan.ref, eTag, signal);
      const ids = versions
        .map(({ versionId }) => versionId)
        .filter((id) => id !== undefined)
        .filter(isImmutable);
      return ids.length === 0 ? {} : { subject: await this.pin(scan, ids, current) };
    } catch (error) {
      // Who may not list, or whose server cannot, does without. A busy server is asked again.
      const isFinal = error instanceof StorageError && !error.retryable;
      if (!isFinal && !(error instanceof ListingBroken)) throw error;
      return { note: `Older versions could not be looked for: ${error.message}` };
    }
  }

  private async pin(
    scan: ScanContext,
    versionIds: readonly string[],
    current: ObjectHead | undefined,
  ): Promise<Subject> {
    const pinned = await this.ledger.pinVersion(scan.scanId, versionIds, current);
    if (pinned.kind === 'duplicate') return pinned;
    const { versionId } = pinned;
    const named = { ...scan, ref: { ...scan.ref, versionId } };
    if (current?.versionId !== versionId) return this.asItIs(named);
    return { kind: 'found', scan: named, object: { ...named.ref, eTag: current.eTag }, head: current };
  }
}

/** Another upload than the event's is there by now. */
const isAnother = ({ told }: ScanContext, head: ObjectHead): boolean =>
  (told?.eTag !== undefined && told.eTag !== head.eTag) ||
  (told?.sizeBytes !== undefined && told.sizeBytes !== head.sizeBytes);

/** Overwritten, or below a delete marker: what it was may be there still. */
const isHidden = (error: unknown): error is StorageError =>
  error instanceof StorageError && (error.outcome === 'superseded' || error.reason === 'delete_marker');

function noted(error: StorageError, note: string | undefined): StorageError {
  if (note === undefined) return error;
  const { outcome, s3Code, detail, reason } = error;
  return new StorageError(outcome, s3Code, [detail, note].join(' ').trim(), { cause: error, reason });
}
