import { randomBytes } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import { appendAudit } from '../../audit/audit.js';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import { Overloaded } from '../../errors.js';
import { decidedReviews, type DecidedReview } from '../population/decisions.js';
import { csvOf, jsonLinesOf, time, type Range } from '../population/population.js';
import { populationOf, type PopulationKind } from '../population/populations.js';
import { drawStratified } from '../population/sample.js';

export const FORMATS = ['csv', 'jsonl'] as const;
export type Format = (typeof FORMATS)[number];

/** How a sample is drawn. */
export interface SampleWish {
  readonly seed?: string | undefined;
  readonly size?: number | undefined;
  /** The same share of each; one population when left out. */
  readonly by?: 'outcome' | 'queue' | undefined;
}

// Each holds a connection and a snapshot until its reader is done.
const MOST_AT_ONCE = 2;
const RETRY_SECONDS = 30;

/** Whole populations, and samples of them, for whoever looks into them with tools of their own. */
@Injectable()
export class EvidenceService {
  private running = 0;

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * All rows of a kind, as they are at this moment, at the pace of who reads them. Whoever goes away or falls silent ends it.
   *
   * @throws Overloaded while others read so much.
   */
  async export(
    kind: PopulationKind,
    format: Format,
    range: Range,
    actor: string,
    options: { readonly bom?: boolean } = {},
  ): Promise<Readable> {
    if (this.running >= MOST_AT_ONCE)
      throw new Overloaded('Two exports are under way, and no more run at once. Try again.', RETRY_SECONDS);
    this.running += 1;
    try {
      await this.record(actor, 'evidence.exported', { kind, format, ...told(range) });
    } catch (error) {
      this.running -= 1;
      throw error;
    }
    const out = new PassThrough();
    const population = populationOf(kind);
    // Whoever has read to the end has also made room for the next.
    void this.snapshot(async (db) => {
      const lines =
        format === 'csv' ? csvOf(population, db, range, options) : jsonLinesOf(population, db, range);
      await pipeline(Readable.from(lines), out, { end: false });
    })
      .finally(() => (this.running -= 1))
      .then(
        () => out.end(),
        (error: Error) => out.destroy(error),
      );
    return out;
  }

  /** A sample of the decisions of a time, which anybody draws again from `decisions.csv`. */
  async sample(range: Range, wish: SampleWish, actor: string) {
    const seed = wish.seed ?? randomBytes(16).toString('hex');
    const all = new Map<string, DecidedReview>();
    await this.snapshot(async (db) => {
      for await (const one of decidedReviews(db, range)) all.set(one.id, one);
    });
    const members = [...all.values()].map((one) => ({
      id: one.id,
      stratum: wish.by === undefined ? '' : one[wish.by],
    }));
    const strata = drawStratified(members, seed, wish.size);
    const drawn = strata.flatMap(({ ids }) => ids).flatMap((id) => all.get(id) ?? []);
    const facts = { seed, population: all.size, size: drawn.length, by: wish.by ?? null };
    await this.record(actor, 'evidence.sampled', { ...told(range), ...facts });
    return {
      ...facts,
      strata: strata.map(({ stratum, population, ids }) => ({ stratum, population, size: ids.length })),
      items: drawn.map(({ id, outcome, queue, decidedAt }) => ({
        reviewId: id,
        decidedAt: time(decidedAt),
        outcome,
        queue,
      })),
    };
  }

  private snapshot(work: (db: Queryable) => Promise<void>): Promise<void> {
    return this.db.transaction(async (tx) => {
      await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
      await work(tx);
    });
  }

  private record(actor: string, action: string, data: Readonly<Record<string, unknown>>): Promise<void> {
    const at = Math.round(this.clock.now());
    return appendAudit(this.db, [{ at, actor, action, subject: 'evidence', data }]);
  }
}

const told = ({ from, to }: Range) => ({ from: time(from), to: time(to) });
