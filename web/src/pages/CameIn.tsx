import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router-dom';
import { call } from '../api.js';
import { count } from '../format.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';
import { VERDICTS, type VerdictCounts } from '../verdicts.js';

const HOUR_MS = 3_600_000;
// Of a busy week these are millions of rows: its numbers need not be of this minute.
const WEEK_EVERY_MS = 300_000;

const countedSince = (milliseconds: number): Promise<VerdictCounts> =>
  call(`/api/v1/objects/summary?from=${Date.now() - milliseconds}`);

/** What was first seen within a day and a week, by verdict. */
export function CameIn() {
  const day = useQuery({
    queryKey: ['overview', 'day'],
    queryFn: () => countedSince(24 * HOUR_MS),
    refetchInterval: 60_000,
  });
  const week = useQuery({
    // Not among what changes refresh.
    queryKey: ['came-in-this-week'],
    queryFn: () => countedSince(7 * 24 * HOUR_MS),
    refetchInterval: WEEK_EVERY_MS,
    staleTime: WEEK_EVERY_MS / 5,
  });
  return (
    <section className="card" aria-labelledby="came-in">
      <h2 id="came-in">
        <Link to="/objects">Came in</Link>
      </h2>
      <Query of={day}>{(today) => <Table today={today} week={week.data} />}</Query>
    </section>
  );
}

const released = (counts: VerdictCounts): number => counts.released ?? 0;
const uploads = (counts: VerdictCounts): number => counts.total - released(counts);

function Table({ today, week }: { today: VerdictCounts; week: VerdictCounts | undefined }) {
  if (today.total === 0 && (week?.total ?? 0) === 0) {
    return <p className="quiet">Nothing within seven days. What is uploaded to a bucket appears here.</p>;
  }
  // The week is counted less often than the day, and never holds less.
  const inWeek = (of: (counts: VerdictCounts) => number): string =>
    week === undefined ? '…' : count(Math.max(of(week), of(today)));
  const of = (verdict: string) => (counts: VerdictCounts) => counts.counts[verdict] ?? 0;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Verdict</th>
          <th scope="col" className="number">
            24 hours
          </th>
          <th scope="col" className="number">
            7 days
          </th>
        </tr>
      </thead>
      <tbody>
        {VERDICTS.filter(
          (verdict) => of(verdict)(today) > 0 || (week !== undefined && of(verdict)(week) > 0),
        ).map((verdict) => (
          <tr key={verdict}>
            <td>
              <Link className="bare" to={`/objects?verdict=${encodeURIComponent(verdict)}`}>
                <State of={verdict} />
              </Link>
            </td>
            <td className="number">{count(of(verdict)(today))}</td>
            <td className="number">{inWeek(of(verdict))}</td>
          </tr>
        ))}
        {released(today) === 0 && (week === undefined || released(week) === 0) ? null : (
          <tr>
            <th scope="row">Copies written by releases</th>
            <td className="number">{count(released(today))}</td>
            <td className="number">{inWeek(released)}</td>
          </tr>
        )}
        <tr>
          <th scope="row">Uploads</th>
          <td className="number">{count(uploads(today))}</td>
          <td className="number">{inWeek(uploads)}</td>
        </tr>
      </tbody>
    </table>
  );
}
