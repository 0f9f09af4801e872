import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { Together } from '../../database/together.js';
import { ObjectStorage, type PinnedObject } from '../../s3/object-storage.js';
import { allowancesFor, type Allowance, type Candidate } from './sql/released-objects.js';

/** People's decisions that let objects pass which were found guilty before. */
@Injectable()
export class Allowances {
  private readonly looked: Together<Candidate, readonly Allowance[]>;

  constructor(
    private readonly storage: ObjectStorage,
    db: Database,
    clock: Clock,
  ) {
    this.looked = new Together((candidates) => allowancesFor(db, candidates, clock.now()));
  }

  /**
   * The decision that lets exactly these bytes pass, if there is one. What the release wrote is known by its version;
   * everything else is read and compared by SHA-256, so that nobody slips in other bytes of the same name, size or ETag.
   */
  async of(object: PinnedObject, sizeBytes: number, signal?: AbortSignal): Promise<Allowance | undefined> {
    const candidates = await this.looked.do({ ref: object, sizeBytes });
    const exact = candidates.find(({ isExact }) => isExact);
    if (exact !== undefined || candidates.length === 0) return exact;
    const sha256 = await this.storage.digest(object, signal);
    return candidates.find((candidate) => candidate.sha256 === sha256);
  }
}
