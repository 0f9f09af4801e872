import { commitmentsIn, commitmentTo } from '../personal/commitment.js';
import { personOf } from '../personal/fields.js';
import { told, toldIn } from '../personal/told.js';
import type { StoredFact } from '../sql/personal.js';
import type { LinkRow } from '../sql/verification.js';
import type { BadPlace } from './verify.js';

/** Compares what events say of people with their commitments, and what is gone with what erasures tell of. */
export class FactsBeside {
  standing = 0;
  private readonly gone = new Map<string, Pick<BadPlace, 'seq' | 'eventId'>>();
  private readonly told = new Set<string>();

  get erased(): number {
    return this.gone.size;
  }

  compare({ seq, eventId, record }: LinkRow, stored: ReadonlyMap<string, StoredFact>): BadPlace | undefined {
    if (record === undefined) return undefined;
    for (const one of toldIn(record)) this.told.add(one);
    for (const [field, commitment] of commitmentsIn(record.data)) {
      const fact = stored.get(commitment);
      if (fact === undefined) this.gone.set(told(commitment), { seq, eventId });
      else if (commitmentTo(fact) !== commitment)
        return { seq, eventId, what: `says something else of a person than was recorded (${field})` };
      else if (fact.person !== personOf(record))
        return { seq, eventId, what: `says it of somebody else than was recorded (${field})` };
      else this.standing += 1;
    }
    return undefined;
  }

  /** The first place that misses something of which no erasure tells. @param later tells of erasures that were not compared. */
  async silentlyGone(later: () => Promise<readonly string[]>): Promise<BadPlace | undefined> {
    let untold = [...this.gone].filter(([one]) => !this.told.has(one));
    if (untold.length === 0) return undefined;
    const more = new Set(await later());
    untold = untold.filter(([one]) => !more.has(one));
    const [first] = untold;
    return first && { ...first[1], what: 'misses what it said of a person, and no erasure tells of it' };
  }
}
