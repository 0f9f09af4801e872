import { Injectable } from '@nestjs/common';
import { ObjectBytes, type Located } from '../../reviews/bytes/object-bytes.js';
import type { OpenedBody } from '../../s3/body.js';
import { ObjectStorage, type PinnedObject } from '../../s3/object-storage.js';
import { Ledger, type ScanContext } from '../../verdicts/ledger.js';
import { Quarantine } from './quarantine.js';

/** In the bucket until a copy in quarantine was verified, and there from then on. */
@Injectable()
export class StoredBytes extends ObjectBytes {
  constructor(
    private readonly ledger: Ledger,
    private readonly quarantine: Quarantine,
    private readonly storage: ObjectStorage,
  ) {
    super();
  }

  async locate(scanId: string): Promise<Located> {
    const scan = await this.ledger.scan(scanId);
    const moved = await this.quarantine.find(scanId);
    const uploadedAs = scan.ref.key;
    if (moved === undefined) return original(scan);
    switch (moved.state) {
      case 'copied':
      case 'moved':
        if (moved.copy === undefined) return { kind: 'gone', why: 'Its copy in quarantine is not known.' };
        return {
          kind: 'held',
          where: 'quarantine',
          object: { ...moved.place, ...moved.copy, sizeBytes: moved.sizeBytes },
          uploadedAs,
        };
      case 'released':
        return { kind: 'gone', why: 'It was released from quarantine and is where it was uploaded.' };
      case 'deleted':
        return { kind: 'gone', why: 'It was deleted from quarantine.' };
      case 'copying':
        return original(scan);
      default:
        return moved.state satisfies never;
    }
  }

  open(object: PinnedObject, signal: AbortSignal): Promise<OpenedBody> {
    return this.storage.open(object, { signal });
  }
}

function original({ ref, facts }: ScanContext): Located {
  if (facts === undefined) return { kind: 'gone', why: 'Nobody has seen its bytes so far.' };
  const { eTag, sizeBytes } = facts;
  return { kind: 'held', where: 'bucket', object: { ...ref, eTag, sizeBytes }, uploadedAs: ref.key };
}
