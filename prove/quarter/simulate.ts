import type { Database } from '../../src/database/database.js';
import { randomFrom, type Options } from '../proof.js';
import { Quarter } from './course.js';
import { Mondays } from './mondays.js';
import { PLANS } from './plans.js';
import type { Place } from './world.js';

export interface Told {
  readonly figures: Readonly<Record<string, unknown>>;
  readonly problems: readonly string[];
}

/** Lives through the weeks, and looks at every report. `folder` is for bundles that are verified. */
export async function simulate(options: Options, place: Place, folder: string): Promise<Told> {
  const plan = PLANS[options.size];
  const quarter = new Quarter(plan, place, randomFrom(options.seed));
  const mondays = new Mondays(plan.firstMonday, quarter.store, folder);
  try {
    await quarter.live(async (week) => {
      const { world } = quarter;
      if (world === undefined) throw new Error('the service is down on a Monday on which it must report');
      await mondays.look(world, week);
      process.stdout.write(
        `week ${week + 1} of ${plan.weeks}: ${mondays.compared} numbers held against the recount, ${mondays.problems.length} problems\n`,
      );
    });
    const { world, desk, uploads, aftermath } = quarter;
    if (world === undefined) throw new Error('the service is down at the end');
    const happened = await count(world.database);
    const { exceptions, folded, ...rows } = happened;
    return {
      figures: {
        weeks: plan.weeks,
        reports: mondays.reports.length,
        objects: rows.objects,
        reviews: rows.reviews,
        decisions: rows.decisions,
        findings: rows.findings,
        exceptions,
        scans: quarter.scanner.scans,
        uploads: { ...uploads.counts, folded },
        after: aftermath.counts,
        acts: desk.acts,
        refused: desk.refusals,
        states: rows.states,
        verdicts: rows.verdicts,
        numbersCompared: mondays.compared,
        equations: mondays.equations,
        restatements: mondays.restatements,
        listedByTheBuckets: mondays.listed,
        bundlesVerified: mondays.verified,
        forgeriesRefused: mondays.tampered,
        problems: mondays.problems.slice(0, 20),
      },
      problems: [...mondays.problems, ...desk.problems],
    };
  } finally {
    await quarter.close();
  }
}

async function count(database: Database) {
  const one = async (text: string): Promise<number> =>
    (await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${text}`))[0]?.count ?? 0;
  const grouped = async (column: string, table: string): Promise<Record<string, number>> =>
    Object.fromEntries(
      (
        await database.query<{ name: string; count: number }>(
          `SELECT ${column} AS name, count(*)::int AS count FROM ${table} GROUP BY 1 ORDER BY 1`,
        )
      ).map(({ name, count: rows }) => [name, rows]),
    );
  return {
    objects: await one('object_version'),
    folded: await one('object_version WHERE folded_into IS NOT NULL'),
    reviews: await one('review'),
    decisions: await one('review WHERE outcome IS NOT NULL'),
    findings: await one('finding'),
    exceptions: await grouped('state', 'finding_exception'),
    states: await grouped('state', 'review'),
    verdicts: await grouped('verdict', 'object_version'),
  };
}
