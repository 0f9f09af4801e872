import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router-dom';
import { call, type Page } from '../api.js';
import { bucketPath, type Bucket, type BucketEvents } from '../buckets.js';
import { count, when } from '../format.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';

const SHOWN = 50;
const EVERY_MS = 60_000;

/** The buckets, and whether what is uploaded to them is heard of. */
export function BucketEventsCard() {
  const buckets = useQuery({
    queryKey: ['overview-buckets'],
    queryFn: () => call<Page<Bucket>>(`/api/v1/buckets?limit=${SHOWN}`),
    refetchInterval: EVERY_MS,
  });
  const events = useQuery({
    queryKey: ['overview', 'bucket-events'],
    queryFn: () => call<Page<BucketEvents>>(`/api/v1/bucket-events?limit=${SHOWN}`),
    refetchInterval: EVERY_MS,
  });
  return (
    <>
      <h2>
        <Link to="/buckets">Buckets</Link>
      </h2>
      <Query of={buckets}>
        {({ items, nextCursor }) =>
          items.length === 0 ? (
            <p className="quiet">
              No bucket yet: nothing is scanned. <Link to="/new/bucket">Add one</Link>.
            </p>
          ) : (
            <>
              <table>
                <thead>
                  <tr>
                    <th scope="col">Bucket</th>
                    <th scope="col">State</th>
                    <th scope="col">Events</th>
                    <th scope="col">Last event</th>
                    <th scope="col">Compared with the ledger</th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((bucket) => {
                    const its = events.data?.items.find(
                      (one) => one.endpointId === bucket.endpointId && one.bucket === bucket.bucket,
                    );
                    return (
                      <tr key={bucketPath(bucket)}>
                        <td>
                          <Link to={bucketPath(bucket)}>{bucket.bucket}</Link>
                          <div className="quiet">{bucket.endpointId}</div>
                        </td>
                        <td>
                          <State of={bucket.enabled ? 'ENABLED' : 'DISABLED'} />
                        </td>
                        <td>{its === undefined ? '–' : <Arrival of={its} />}</td>
                        <td>{when(its?.lastEventAt)}</td>
                        <td>{its?.comparedAt === null ? 'not yet' : when(its?.comparedAt)}</td>
                      </tr>
                    );
                  })}
                </tbody>
              </table>
              {nextCursor === undefined ? null : (
                <p className="quiet">
                  More of them are among <Link to="/buckets">the buckets</Link>.
                </p>
              )}
            </>
          )
        }
      </Query>
    </>
  );
}

function Arrival({ of: { missed, missedSince, lastEventAt } }: { of: BucketEvents }) {
  if (missed > 0) {
    return (
      <>
        <State of="missing" />
        <div className="quiet">
          {count(missed)} uploads that none told of, since {when(missedSince)}
        </div>
      </>
    );
  }
  return <State of={lastEventAt === null ? 'unheard' : 'arrive'} />;
}
