import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router-dom';
import { call } from '../api.js';
import { count, duration, when } from '../format.js';
import { troublesOf, useHealth } from '../health.js';
import { useLive } from '../live/useLive.js';
import { useThrottled } from '../live/useThrottled.js';
import { LiveBadge } from '../parts/LiveBadge.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';
import { useSeenReviews } from '../parts/useSession.js';
import { oldestWaitMs, queueQuery } from '../queue.js';
import { NoReviews } from '../review/NoReviews.js';
import type { ReviewsWaiting } from '../reviews.js';
import { BucketEventsCard } from './BucketEventsCard.js';
import { CameIn } from './CameIn.js';
import { ProcessCard } from './ProcessCard.js';
import { Troubles } from './Troubles.js';

// A storm of uploads is no reason to count them more often than anybody reads the numbers.
const REFRESH_MS = 10_000;
/** Also without a change: ages grow, and a pause or a dead letter is no change of a workflow. */
const ANYWAY_MS = 30_000;

/** How it is, what came in, and what waits for whom: the first look of a day. */
export function OverviewPage() {
  const client = useQueryClient();
  const refresh = useThrottled(() => {
    for (const queryKey of [['overview'], ['queue']]) void client.invalidateQueries({ queryKey });
  }, REFRESH_MS);
  const liveness = useLive('overview', () => ({ tasks: 'false' }), refresh);
  return (
    <section>
      <title>Overview · Sallyport</title>
      <div className="heading">
        <h1>Overview</h1>
        <LiveBadge of={liveness} />
      </div>
      <div className="cols">
        <HealthCard />
        <ReviewsCard />
        <BacklogCard />
      </div>
      <div className="cols">
        <CameIn />
        <Troubles everyMs={ANYWAY_MS} />
      </div>
      <ProcessCard />
      <BucketEventsCard />
    </section>
  );
}

function HealthCard() {
  const health = useHealth();
  return (
    <section className="card" aria-labelledby="health">
      <h2 id="health">Health</h2>
      <Query of={health}>
        {(data) => {
          const troubles = troublesOf(data);
          const state = data.healthy ? (data.degraded ? 'degraded' : 'healthy') : 'unhealthy';
          return (
            <>
              <p className="figure" data-testid="health" data-state={state}>
                <State of={state} />
              </p>
              {troubles.length === 0 ? (
                <p className="quiet">All {data.healthResults.length} checks are well.</p>
              ) : (
                <ul className="plain">
                  {troubles.map(({ name, healthy, detail }) => (
                    <li key={`${name}: ${detail}`}>
                      <State of={healthy ? 'limited' : 'fail'} /> {name}
                    </li>
                  ))}
                </ul>
              )}
            </>
          );
        }}
      </Query>
    </section>
  );
}

function ReviewsCard() {
  const seen = useSeenReviews();
  const waiting = useQuery({
    queryKey: ['overview', 'reviews'],
    queryFn: () => call<ReviewsWaiting>('/api/v1/reviews/waiting'),
    refetchInterval: ANYWAY_MS,
    enabled: seen === 'all',
  });
  if (seen !== 'all')
    return (
      <section className="card" aria-labelledby="reviews">
        <h2 id="reviews">
          <Link to="/reviews">Reviews</Link>
        </h2>
        {seen === 'granted' ? (
          <p className="quiet">
            <Link to="/reviews">What waits in the queues that you have a grant for.</Link>
          </p>
        ) : (
          <NoReviews />
        )}
      </section>
    );
  return (
    <section className="card" aria-labelledby="reviews">
      <h2 id="reviews">
        <Link to="/reviews">Reviews</Link>
      </h2>
      <Query of={waiting}>
        {({ open, claimed, mine, oldestAt }) => (
          <>
            <p className="figure">
              <strong>{count(open + claimed)}</strong> {open + claimed === 1 ? 'waits' : 'wait'} for a
              decision
            </p>
            {oldestAt === null ? (
              <p className="quiet">A finding in an upload opens one.</p>
            ) : (
              <dl>
                <dt>Held by you</dt>
                <dd>{count(mine)}</dd>
                <dt>Held by others</dt>
                <dd>{count(claimed - mine)}</dd>
                <dt>Free to take</dt>
                <dd>{count(open)}</dd>
                <dt>The oldest waits</dt>
                <dd>
                  {duration(Date.now() - Date.parse(oldestAt))}{' '}
                  <span className="quiet">since {when(oldestAt)}</span>
                </dd>
              </dl>
            )}
          </>
        )}
      </Query>
    </section>
  );
}

function BacklogCard() {
  const summary = useQuery({ ...queueQuery, refetchInterval: ANYWAY_MS });
  return (
    <section className="card" aria-labelledby="backlog">
      <h2 id="backlog">
        <Link to="/queue">Backlog</Link>
      </h2>
      <Query of={summary}>
        {(data) => (
          <>
            <p className="figure">
              <strong>{count(data.waiting)}</strong> {data.waiting === 1 ? 'waits' : 'wait'} for a scan
            </p>
            <dl>
              <dt>The oldest waits</dt>
              <dd>{duration(oldestWaitMs(data))}</dd>
              <dt>Running</dt>
              <dd>
                {count(data.running)} of {count(data.maxRunning)} at most
              </dd>
            </dl>
          </>
        )}
      </Query>
    </section>
  );
}
