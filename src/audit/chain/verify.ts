import type { KeyObject } from 'node:crypto';
import type { Queryable } from '../../database/queryable.js';
import { commitmentsIn } from '../personal/commitment.js';
import { chainState } from '../sql/chain.js';
import { forkBefore, forksOf, type Fork } from '../sql/forks.js';
import { erasuresBeyond, factsOf } from '../sql/personal.js';
import {
  anchoredUpTo,
  checkpointsAfter,
  linksAfter,
  unchainedEvents,
  type CheckpointRow,
  type LinkRow,
} from '../sql/verification.js';
import { isSignedBy } from './checkpoint.js';
import { FactsBeside } from './facts-beside.js';
import { genesisOf, hashOf } from './record.js';

/** The first place at which the record is not what was chained. */
export interface BadPlace {
  /** Its place in the chain, where it has one. */
  readonly seq?: number | undefined;
  readonly eventId?: string | undefined;
  /** A sentence. */
  readonly what: string;
}

export interface Verification {
  readonly chain: string;
  readonly isWhole: boolean;
  readonly bad?: BadPlace | undefined;
  /** Events that were followed from the first on. */
  readonly events: number;
  /** Hash of the last of them; hexadecimal. */
  readonly head: string;
  readonly checkpoints: number;
  /** The last event of which something outside this database knows; what comes after it could still be rewritten unseen. */
  readonly anchoredUpTo: number;
  /** Recorded, and not chained yet. */
  readonly waiting: number;
  /** Facts about people that stand beside these events, and those that were erased. */
  readonly personal: number;
  readonly erased: number;
  /** Where a restore from a backup left behind what had been recorded since. */
  readonly forks: readonly Fork[];
}

/** What a checkpoint said that somebody kept elsewhere. */
export interface KnownHead {
  readonly seq: number;
  /** Hexadecimal. */
  readonly head: string;
}

const PAGE = 5000;

/** Public keys of checkpoints by their ids. */
export type KeyLookup = (keyId: string) => KeyObject | undefined;

/** Follows the chain from its first event, and compares each with what stands in the table now and what was known of it. */
export async function verifyChain(
  db: Queryable,
  keyOf: KeyLookup,
  known: readonly KnownHead[] = [],
): Promise<Verification> {
  const { chainId } = await chainState(db);
  const forks = await forksOf(db);
  const walk = new Walk(db, chainId, keyOf, known, forks);
  const bad = await walk.run();
  const { missed, waiting } = await unchainedEvents(db);
  const gap =
    missed === undefined
      ? undefined
      : { eventId: missed, what: 'stands in the table and is in no place of the chain' };
  const first = bad ?? gap ?? (await walk.silentErasure());
  return {
    chain: chainId,
    isWhole: first === undefined,
    ...(first === undefined ? {} : { bad: first }),
    events: walk.seq,
    head: walk.head.toString('hex'),
    checkpoints: walk.checkpoints,
    anchoredUpTo: await anchoredUpTo(db),
    waiting,
    personal: walk.facts.standing,
    erased: walk.facts.erased,
    forks,
  };
}

const commitmentsOf = ({ record }: LinkRow): string[] =>
  record === undefined ? [] : [...commitmentsIn(record.data).values()];

/** One pass over the links, and over the checkpoints beside them. */
class Walk {
  seq = 0;
  head: Buffer;
  checkpoints = 0;
  readonly facts = new FactsBeside();
  private coming: CheckpointRow[] = [];
  private hasMore = true;
  private loadedUpTo = 0;

  constructor(
    private readonly db: Queryable,
    private readonly chainId: string,
    private readonly keyOf: KeyLookup,
    private readonly known: readonly KnownHead[],
    private readonly forks: readonly Fork[],
  ) {
    this.head = genesisOf(chainId);
  }

  async run(): Promise<BadPlace | undefined> {
    for (;;) {
      const links = await linksAfter(this.db, this.seq, PAGE);
      const facts = await factsOf(this.db, links.flatMap(commitmentsOf));
      for (const link of links) {
        const bad =
          this.follow(link) ??
          this.compareKnown() ??
          (await this.compareCheckpoint()) ??
          this.facts.compare(link, facts);
        if (bad !== undefined) return bad;
      }
      if (links.length < PAGE) break;
    }
    const left = (await this.nextCheckpoint()) ?? this.known.find(({ seq }) => seq > this.seq);
    if (left === undefined) return undefined;
    const why = forkBefore(this.forks, left.seq);
    return { seq: this.seq + 1, what: `is missing: a checkpoint knows of ${left.seq} events${why}` };
  }

  /** Erasures are on record: whatever else is gone, somebody took. */
  silentErasure(): Promise<BadPlace | undefined> {
    return this.facts.silentlyGone(() => erasuresBeyond(this.db, this.seq));
  }

  private compareKnown(): BadPlace | undefined {
    const now = this.head.toString('hex');
    const isOther = this.known.some(({ seq, head }) => seq === this.seq && head !== now);
    return isOther
      ? {
          seq: this.seq,
          what: `was another when a checkpoint that is kept elsewhere was made${forkBefore(this.forks, this.seq)}`,
        }
      : undefined;
  }

  private follow({ seq, eventId, hash, record }: LinkRow): BadPlace | undefined {
    if (seq !== this.seq + 1) return { seq: this.seq + 1, what: 'is missing in the chain' };
    if (record === undefined) return { seq, eventId, what: 'is gone from the record' };
    const expected = hashOf(this.head, seq, record);
    if (!expected.equals(hash)) return { seq, eventId, what: 'is not what was chained, or not in its place' };
    this.seq = seq;
    this.head = expected;
    return undefined;
  }

  private async compareCheckpoint(): Promise<BadPlace | undefined> {
    const next = await this.nextCheckpoint();
    if (next?.seq !== this.seq) return undefined;
    this.coming.shift();
    this.checkpoints += 1;
    const key = this.keyOf(next.keyId);
    if (key === undefined) return { seq: next.seq, what: `has a checkpoint by an unknown key ${next.keyId}` };
    const said = {
      chain: this.chainId,
      seq: next.seq,
      head: next.head.toString('hex'),
      at: new Date(next.at).toISOString(),
      keyId: next.keyId,
      signature: next.signature.toString('base64'),
    };
    if (!isSignedBy(said, key)) return { seq: next.seq, what: 'has a checkpoint with a false signature' };
    if (!next.head.equals(this.head))
      return { seq: next.seq, what: 'was another when its checkpoint was signed' };
    return undefined;
  }

  /** The first that was not compared yet. */
  private async nextCheckpoint(): Promise<CheckpointRow | undefined> {
    if (this.coming.length === 0 && this.hasMore) {
      this.coming = await checkpointsAfter(this.db, this.loadedUpTo, PAGE);
      this.hasMore = this.coming.length === PAGE;
      this.loadedUpTo = this.coming.at(-1)?.seq ?? this.loadedUpTo;
    }
    return this.coming[0];
  }
}
