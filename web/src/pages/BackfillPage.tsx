import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from 'react-router-dom';
import { call } from '../api.js';
import {
  backfillPath,
  costText,
  COUNT_WORDS,
  hasEnded,
  hasNothingToScan,
  isOnlyEstimated,
  type Estimate,
  type Run,
} from '../backfills.js';
import { count, duration, size, visible, when } from '../format.js';
import { ConfirmButton } from '../parts/ConfirmButton.js';
import { Problem } from '../parts/Problem.js';
import { ProgressBar } from '../parts/ProgressBar.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';
import { useMay } from '../parts/useSession.js';
import { placeOf } from './BackfillsPage.js';

/** One run over a bucket: what it would come to, how far it is, and the ways to steer it. */
export function BackfillPage() {
  const { id = '' } = useParams();
  const found = useQuery({
    queryKey: ['backfill', id],
    queryFn: () => call<Run>(`/api/v1${backfillPath(id)}`),
    refetchInterval: ({ state }) => (state.data !== undefined && hasEnded(state.data) ? false : 1_500),
  });
  return (
    <Query of={found}>
      {(run) => (
        <section>
          <title>{`${run.kind} of ${placeOf(run)} · Sallyport`}</title>
          <Heading run={run} />
          {run.error === null ? null : (
            <p className="problem" role="status">
              {visible(run.error)}
              {run.retryAt === null ? '' : ` It is tried again ${when(run.retryAt)}.`}
            </p>
          )}
          <Progress run={run} />
          <div className="cols">
            {run.estimate === null ? null : <EstimateCard estimate={run.estimate} />}
            <Facts run={run} />
          </div>
        </section>
      )}
    </Query>
  );
}

function Heading({ run }: { run: Run }) {
  const client = useQueryClient();
  const maySteer = useMay('operator');
  const act = useMutation({
    mutationFn: (verb: string) =>
      call<Run>(`/api/v1${backfillPath(run.id)}/${verb}`, { method: 'POST', body: {} }),
    onSuccess: (after) => client.setQueryData(['backfill', run.id], after),
    onError: () => client.invalidateQueries({ queryKey: ['backfill', run.id] }),
  });
  const button = (verb: string, label: string, look = '') => (
    <button type="button" className={look} disabled={act.isPending} onClick={() => act.mutate(verb)}>
      {label}
    </button>
  );
  return (
    <>
      <div className="heading">
        <h1>{placeOf(run)}</h1>
        <span className="quiet">{run.kind}</span>
        <span role="status">
          <State of={run.state} />
        </span>
        {maySteer && !hasEnded(run) ? (
          <span className="actions">
            {run.state === 'estimated' && !hasNothingToScan(run)
              ? button('start', 'Start it', 'primary')
              : null}
            {run.state === 'running' ? button('pause', 'Pause') : null}
            {run.state === 'paused' ? button('resume', 'Resume', 'primary') : null}
            <ConfirmButton
              label="Cancel"
              question="Really cancel"
              effect="What it has put in the queue already is scanned."
              disabled={act.isPending}
              onConfirm={() => act.mutate('cancel')}
            />
          </span>
        ) : null}
      </div>
      <Problem error={act.error} />
    </>
  );
}

function Progress({ run }: { run: Run }) {
  const { progress, state } = run;
  if (state === 'estimating') {
    return (
      <div className="card" role="status">
        Counting what is there…
      </div>
    );
  }
  if (hasNothingToScan(run)) {
    return (
      <div className="card" role="status">
        {run.estimate?.objects === 0
          ? 'There is nothing to scan: nothing like this is in the bucket.'
          : 'There is nothing to scan: what is in the bucket has a verdict, or a rule skips it.'}
      </div>
    );
  }
  if (isOnlyEstimated(run)) return null;
  return (
    <div className="card">
      <ProgressBar
        done={progress.done}
        total={progress.total}
        unit="objects"
        label={`Progress over ${placeOf(run)}`}
      />
      <p className="quiet">
        {progress.secondsToGo === null ? null : `About ${duration(progress.secondsToGo * 1000)} to go`}
        {progress.objectsPerSecond === null || state !== 'running'
          ? null
          : `, ${progress.objectsPerSecond.toFixed(1)} objects a second`}
        {run.listedAt === null && state === 'running' ? '; the bucket is still being listed' : null}
      </p>
      {Object.keys(run.verdicts).length === 0 ? null : (
        <p className="states">
          {Object.entries(run.verdicts).map(([verdict, many]) => (
            <span key={verdict}>
              {count(many)} <State of={verdict} />
            </span>
          ))}
        </p>
      )}
    </div>
  );
}

function EstimateCard({ estimate }: { estimate: Estimate }) {
  const { requests } = estimate;
  const about = estimate.isExact ? '' : 'about ';
  return (
    <div className="card">
      <h2>What it comes to</h2>
      <dl>
        <dt>Objects</dt>
        <dd>
          {about}
          {count(estimate.objects)}, {size(estimate.bytes)}
        </dd>
        <dt>Have a verdict already</dt>
        <dd>
          {about}
          {count(estimate.alreadyDone)}
        </dd>
        <dt>To scan</dt>
        <dd>
          <strong>
            {about}
            {count(estimate.toScan)}
          </strong>
          , {size(estimate.bytesToScan)}
        </dd>
        <dt>Time</dt>
        <dd>
          {estimate.toScan === 0 ? (
            'none'
          ) : (
            <>
              about {duration(estimate.expectedSeconds * 1000)}{' '}
              <span className="quiet">
                at {count(estimate.throughput.objectsPerSecond)} objects a second,{' '}
                {estimate.throughput.basis === 'measured' ? 'as measured here' : 'which is assumed'}
              </span>
            </>
          )}
        </dd>
        <dt>Requests</dt>
        <dd>
          {count(requests.list)} LIST, {count(requests.get)} GET, {count(requests.head)} HEAD,{' '}
          {count(requests.getTags + requests.putTags)} for tags
        </dd>
        <dt>S3 charges</dt>
        <dd>{costText(estimate)}</dd>
      </dl>
      {estimate.isExact ? null : (
        <p className="quiet">The bucket is large: these are extrapolated from samples of its listing.</p>
      )}
    </div>
  );
}

function Facts({ run }: { run: Run }) {
  return (
    <div className="card">
      <h2>So far</h2>
      <dl>
        <dt>Asked for</dt>
        <dd>
          {when(run.createdAt)} by {visible(run.requestedBy)}
          {run.cause === 'request' ? '' : `, ${visible(run.cause)}`}
        </dd>
        {run.startedAt === null ? null : (
          <>
            <dt>Started</dt>
            <dd>{when(run.startedAt)}</dd>
          </>
        )}
        {run.endedAt === null ? null : (
          <>
            <dt>Ended</dt>
            <dd>{when(run.endedAt)}</dd>
          </>
        )}
        {(Object.keys(COUNT_WORDS) as (keyof typeof COUNT_WORDS)[])
          .filter((name) => run.counts[name] > 0)
          .map((name) => (
            <FactLine key={name} label={capital(COUNT_WORDS[name])} value={run.counts[name]} />
          ))}
      </dl>
    </div>
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const FactLine = ({ label, value }: { label: string; value: number }) => (
  <>
    <dt>{label}</dt>
    <dd>{count(value)}</dd>
  </>
);
