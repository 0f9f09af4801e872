import { isIn, type ExceptionRow, type Tables, type Week } from './tables.js';

const SOON = 14 * 86_400_000;

/** What people let stand: a request counts once somebody else agreed, until it ended. */
export function recountExceptions({ exceptions }: Tables, week: Week) {
  const isGranted = ({ state, decided_at: at }: ExceptionRow): boolean =>
    at !== null && state !== 'REFUSED' && state !== 'REQUESTED';
  const inForce = exceptions.filter(
    (row) =>
      isGranted(row) &&
      Number(row.decided_at) < week.to &&
      (row.ended_at === null || Number(row.ended_at) >= week.to),
  );
  return {
    inForce: inForce.length,
    new: exceptions.filter((row) => isGranted(row) && isIn(week, row.decided_at)).length,
    expiring: inForce.filter((row) => Number(row.expires_at) < week.to + SOON).length,
    expired: exceptions.filter((row) => row.state === 'EXPIRED' && isIn(week, row.ended_at)).length,
    extended: exceptions.filter((row) => row.state === 'EXTENDED' && isIn(week, row.ended_at)).length,
  };
}
