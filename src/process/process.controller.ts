import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Roles, VIEWERS } from '../access/principal.js';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import { InvalidInput } from '../errors.js';
import { processFigures, type ProcessFigures } from './figures.js';

const DAY_MS = 86_400_000;
const USUAL_DAYS = 7;
// A quarter, and a few days more.
const MOST_DAYS = 100;
const KEPT_MS = 10_000;
const MOST_KEPT = 20;

const moment = z.iso
  .datetime({ offset: true, message: 'must be a time such as 2026-12-24T09:00:00Z' })
  .transform((text) => Date.parse(text));
const FiguresQuery = z.object({
  from: moment.optional(),
  to: moment.optional(),
  workflow: z
    .string()
    .min(1)
    .max(255)
    .refine(
      (text) => !text.includes('\u0000') && text.isWellFormed(),
      'must not contain NUL or lone surrogates',
    )
    .optional(),
});

/** Moments as ISO 8601. */
type Shown = Omit<ProcessFigures, 'from' | 'to'> & { readonly from: string; readonly to: string };

/** The process in figures: how long it took, where the time went, and how often it failed. */
@ApiTags('process')
@Controller('api/v1/process')
@Roles(...VIEWERS)
export class ProcessController {
  // However many look at once, they are counted once.
  private readonly kept = new Map<string, { readonly at: number; readonly figures: Promise<Shown> }>();

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** Of what was started in [from, to): the last seven days where nothing is said. */
  @Get('figures')
  figures(@Query({ schema: FiguresQuery }) query: z.infer<typeof FiguresQuery>): Promise<Shown> {
    const now = Math.round(this.clock.now());
    const to = query.to ?? now;
    const from = query.from ?? to - USUAL_DAYS * DAY_MS;
    if (from >= to) throw InvalidInput.field('to', 'must come after `from`');
    if (to - from > MOST_DAYS * DAY_MS)
      throw InvalidInput.field('from', `must be at most ${MOST_DAYS} days before \`to\``);
    const key = JSON.stringify([query.from, query.to, query.workflow]);
    const known = this.kept.get(key);
    if (known !== undefined && now - known.at < KEPT_MS) return known.figures;
    const figures = this.count(from, to, { workflow: query.workflow, now });
    this.keep(key, { at: now, figures });
    return figures;
  }

  private async count(
    from: number,
    to: number,
    how: { workflow: string | undefined; now: number },
  ): Promise<Shown> {
    const found = await processFigures(this.db, from, to, how);
    return { ...found, from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  }

  private keep(key: string, entry: { readonly at: number; readonly figures: Promise<Shown> }): void {
    this.kept.delete(key);
    this.kept.set(key, entry);
    // What failed is asked again.
    entry.figures.catch(() => this.kept.delete(key));
    const [oldest] = this.kept.keys();
    if (this.kept.size > MOST_KEPT && oldest !== undefined) this.kept.delete(oldest);
  }
}
