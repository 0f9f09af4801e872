import type { Scanning } from '../data/coverage.js';
import { enginesUsed } from '../../verdicts/verdicts.queries.js';
import { iso, type Asked } from './section.js';

/** Signatures older than this are named: they come each day, and a weekend passes. */
export const SIGNATURE_LIMIT_MS = 4 * 86_400_000;

/** Which engines looked, how old their signatures were, and when they did not work. */
export async function readScanning(asked: Asked): Promise<Scanning> {
  return {
    engines: [...(await enginesUsed(asked.tx, asked.from, asked.to))],
    signatureAge: await signatureAge(asked),
    outages: await outages(asked),
  };
}

// An engine with a database is one for malware; rules for secrets name a digest and no date.
const IS_CLAM = `e ->> 'database' IS NOT NULL AND e ->> 'name' LIKE 'clam%'`;
const LOOKED = `FROM verdict v CROSS JOIN LATERAL json_array_elements(v.engines) e
  WHERE v.at >= $1 AND v.at < $2 AND ${IS_CLAM}`;
const MOST_DATES = 10_000;

async function signatureAge({ tx, from, to }: Asked): Promise<Scanning['signatureAge']> {
  const dates = await tx.query<{ dated: string }>(
    `SELECT DISTINCT e ->> 'databaseDate' AS dated ${LOOKED} AND e ->> 'databaseDate' IS NOT NULL ORDER BY 1 LIMIT ${MOST_DATES}`,
    [from, to],
  );
  const known = dates
    .map(({ dated }) => ({ dated, at: Date.parse(dated) }))
    .filter(({ at }) => !Number.isNaN(at));
  const [row] = await tx.query<Omit<Scanning['signatureAge'], 'limitMs'>>(
    `WITH made AS (SELECT * FROM unnest($4::text[], $5::bigint[]) AS made (dated, made_at)
     ), looked AS (
       SELECT v.at, e ->> 'databaseDate' AS dated ${LOOKED}
     ), aged AS (
       SELECT CASE WHEN made_at IS NOT NULL THEN greatest(0, at - made_at) END AS age FROM looked LEFT JOIN made USING (dated)
     )
     SELECT count(*)::int AS verdicts, count(*) FILTER (WHERE age IS NULL)::int AS unknown,
            (percentile_disc(0.5) WITHIN GROUP (ORDER BY age))::float8 AS "p50Ms", max(age)::float8 AS "maxMs",
            count(*) FILTER (WHERE age > $3)::int AS "overLimit"
       FROM aged`,
    [from, to, SIGNATURE_LIMIT_MS, known.map(({ dated }) => dated), known.map(({ at }) => at)],
  );
  const counted = row ?? { verdicts: 0, unknown: 0, p50Ms: null, maxMs: null, overLimit: 0 };
  return { ...counted, limitMs: SIGNATURE_LIMIT_MS };
}

const WITHOUT_ENGINE = ['malware_engine_missing', 'malware_database_unknown', 'engine_error'];
const MOST_OUTAGES = 100;

/** Verdicts that failed for want of an engine, one after the other, until one did not. */
async function outages({ tx, from, to }: Asked): Promise<Scanning['outages']> {
  const rows = await tx.query<{ engine: string; from_at: string; to_at: string; verdicts: number }>(
    `WITH told AS (
       SELECT id, at, reason, reason = ANY ($3) AS is_failed FROM verdict
        WHERE at >= $1 AND at < $2 AND scan_id IS NOT NULL
          -- What no engine for malware was asked about says nothing of it.
          AND (reason = ANY ($3) OR EXISTS (SELECT FROM json_array_elements(engines) e WHERE ${IS_CLAM}))
     ), runs AS (
       SELECT *, count(*) FILTER (WHERE NOT is_failed) OVER (ORDER BY at, id) AS run FROM told
     )
     SELECT min(reason) AS engine, min(at) AS from_at, max(at) AS to_at, count(*)::int AS verdicts
       FROM runs WHERE is_failed GROUP BY run, reason ORDER BY min(at), min(reason) LIMIT $4`,
    [from, to, WITHOUT_ENGINE, MOST_OUTAGES],
  );
  return rows.map(({ engine, from_at, to_at, verdicts }) => ({
    engine,
    from: iso(from_at),
    to: iso(to_at),
    verdicts,
  }));
}
