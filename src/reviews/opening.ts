import { createHash } from 'node:crypto';
import type { Instant } from '../clock.js';
import type { Queryable } from '../database/queryable.js';
import { personOf } from './people.js';
import type { Review } from './review.js';
import type { ReviewerPerson } from './reviewers.js';
import type { Person } from './rules/review.js';

// Serialises the choice among several, so that two reviews at once do not go to the same person's turn.
const CHOICE_LOCK = 0x5a11_0006;

/**
 * Chooses who gets a new review, as its policy says; nobody for a pool, and where nobody is left.
 *
 * Runs in the transaction that opens the review. Those who wait for the lock see what was chosen before them, so turns
 * and loads come out the same whatever the order of arrival.
 */
export async function chooseHolder(
  tx: Queryable,
  review: Review,
  asked: readonly ReviewerPerson[],
): Promise<Person | undefined> {
  const { strategy } = review.policy;
  if (strategy === 'pool' || strategy === 'all' || asked.length === 0) return undefined;
  await tx.query('SELECT pg_advisory_xact_lock($1)', [CHOICE_LOCK]);
  switch (strategy) {
    case 'round_robin':
      return personOf(await nextInTurn(tx, review, asked));
    case 'sticky':
      return personOf((await lastDecider(tx, review, asked)) ?? (await leastLoaded(tx, asked)));
    case 'least_loaded':
      return personOf(await leastLoaded(tx, asked));
    default:
      return strategy satisfies never;
  }
}

/** The one after whoever had the last turn, in the order of their ids. `asked` is in that order. */
async function nextInTurn(
  tx: Queryable,
  { policy }: Review,
  asked: readonly ReviewerPerson[],
): Promise<ReviewerPerson> {
  const among = createHash('sha256')
    .update(JSON.stringify([policy.queue, policy.to]))
    .digest('hex');
  const [last] = await tx.query<{ person_id: string }>('SELECT person_id FROM review_turn WHERE among = $1', [
    among,
  ]);
  const next = asked.find(({ personId }) => last !== undefined && personId > last.person_id) ?? first(asked);
  await tx.query(
    `INSERT INTO review_turn (among, person_id) VALUES ($1, $2)
     ON CONFLICT (among) DO UPDATE SET person_id = excluded.person_id`,
    [among, next.personId],
  );
  return next;
}

async function leastLoaded(tx: Queryable, asked: readonly ReviewerPerson[]): Promise<ReviewerPerson> {
  const rows = await tx.query<{ id: string; held: number }>(
    `SELECT claimed_by AS id, count(*)::int AS held FROM review WHERE claimed_by = ANY ($1) GROUP BY claimed_by`,
    [asked.map(({ personId }) => personId)],
  );
  const held = new Map(rows.map((row) => [row.id, row.held]));
  const load = ({ personId }: ReviewerPerson): number => held.get(personId) ?? 0;
  return asked.reduce((least, person) => (load(person) < load(least) ? person : least), first(asked));
}

/** Who decided the last one about the same object. */
async function lastDecider(
  tx: Queryable,
  { subject }: Review,
  asked: readonly ReviewerPerson[],
): Promise<ReviewerPerson | undefined> {
  if (subject.object === undefined) return undefined;
  const [row] = await tx.query<{ decided_by: string }>(
    `SELECT decided_by FROM review WHERE object_id = $1 AND decided_by = ANY ($2)
      ORDER BY created_at DESC LIMIT 1`,
    [subject.object.objectId, asked.map(({ personId }) => personId)],
  );
  return asked.find(({ personId }) => personId === row?.decided_by);
}

const first = (asked: readonly ReviewerPerson[]): ReviewerPerson => asked[0] as ReviewerPerson;

/** The review as it is given to somebody. */
export const givenTo = (review: Review, to: Person, at: Instant): Review => ({
  ...review,
  state: 'ASSIGNED',
  claim: { by: to, at },
});
