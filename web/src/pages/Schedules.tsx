import { Link } from 'react-router-dom';
import { visible, when } from '../format.js';
import { Problem } from '../parts/Problem.js';
import { ShowMore } from '../parts/ShowMore.js';
import { State } from '../parts/State.js';
import { usePages } from '../parts/usePages.js';
import { schedulePath, type Schedule } from '../schedules.js';

/** What comes again and again: when it is due next, and how it went. */
export function Schedules() {
  const { items, error, hasNextPage, fetchNextPage, isFetchingNextPage } = usePages<Schedule>(
    '/api/v1/schedules',
    { limit: '100' },
    5_000,
  );
  if (items?.length === 0) return <p className="quiet">No schedule yet.</p>;
  return (
    <>
      <Problem error={error} />
      <table>
        <thead>
          <tr>
            <th scope="col">Schedule</th>
            <th scope="col">Does</th>
            <th scope="col">When</th>
            <th scope="col">State</th>
            <th scope="col">Next</th>
            <th scope="col">Last</th>
          </tr>
        </thead>
        <tbody>
          {items?.map((schedule) => (
            <tr key={schedule.name}>
              <td>
                <Link to={schedulePath(schedule.name)}>{schedule.name}</Link>
                <div className="quiet">{visible(schedule.description ?? '')}</div>
              </td>
              <td>{visible(schedule.kind)}</td>
              <td>
                <code>{schedule.cron}</code>
                <div className="quiet">{schedule.timeZone}</div>
              </td>
              <td>
                <State of={schedule.enabled ? 'ENABLED' : 'PAUSED'} />
                {schedule.kindIsKnown ? null : <div className="problem">nobody does this</div>}
              </td>
              <td>{when(schedule.nextFireAt)}</td>
              <td>
                {schedule.lastOutcome === null ? (
                  '–'
                ) : (
                  <>
                    <State of={schedule.lastOutcome} />{' '}
                    <span className="quiet">{when(schedule.lastFireAt)}</span>
                    <div className="problem">{visible(schedule.lastError ?? '')}</div>
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <ShowMore hasMore={hasNextPage} isLoading={isFetchingNextPage} onMore={() => void fetchNextPage()} />
    </>
  );
}
