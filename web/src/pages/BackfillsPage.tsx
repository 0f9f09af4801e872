import { Link } from 'react-router-dom';
import {
  backfillPath,
  costText,
  hasEnded,
  isOnlyEstimated,
  RUN_KINDS,
  RUN_STATES,
  type Run,
} from '../backfills.js';
import { count, visible, when } from '../format.js';
import { NameLink } from '../parts/NameLink.js';
import { Problem } from '../parts/Problem.js';
import { ProgressBar } from '../parts/ProgressBar.js';
import { ShowMore } from '../parts/ShowMore.js';
import { State } from '../parts/State.js';
import { useFilters } from '../parts/useFilters.js';
import { usePages } from '../parts/usePages.js';
import { useMay } from '../parts/useSession.js';

/** What goes over whole buckets: backfills, rescans, reconciliations, and how far they are. */
export function BackfillsPage() {
  const mayStart = useMay('operator');
  const [filters, set] = useFilters('kind', 'state', 'bucket');
  const { items, error, hasNextPage, fetchNextPage, isFetchingNextPage } = usePages<Run>(
    '/api/v1/backfills',
    { ...filters, limit: '50' },
  );
  return (
    <section>
      <title>Backfills · Sallyport</title>
      <div className="heading">
        <h1>Backfills</h1>
        {mayStart ? (
          <span className="actions">
            <Link className="button primary" to="/new/backfill">
              New backfill
            </Link>
          </span>
        ) : null}
      </div>
      <div className="filters">
        <Choice label="Kind" value={filters.kind} of={RUN_KINDS} onChange={(kind) => set('kind', kind)} />
        <Choice
          label="State"
          value={filters.state}
          of={RUN_STATES}
          onChange={(state) => set('state', state)}
        />
        <label>
          Bucket
          <input
            value={filters.bucket}
            placeholder="any"
            onChange={(event) => set('bucket', event.target.value)}
          />
        </label>
      </div>
      <Problem error={error} />
      {items?.length === 0 ? (
        <p className="quiet">
          None. A backfill scans what was in a bucket before its uploads were watched; a rescan looks at known
          objects again; a reconciliation compares a bucket with the ledger.
        </p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Over</th>
              <th scope="col">Kind</th>
              <th scope="col">State</th>
              <th scope="col">Progress</th>
              <th scope="col">Asked for</th>
            </tr>
          </thead>
          <tbody>
            {items?.map((run) => (
              <tr key={run.id}>
                <td>
                  <NameLink to={backfillPath(run.id)} name={placeOf(run)} />
                </td>
                <td className="word">{run.kind}</td>
                <td>
                  <State of={run.state} />
                  {isOnlyEstimated(run) && hasEnded(run) ? <div className="quiet">only estimated</div> : null}
                </td>
                <td>
                  <Progress of={run} />
                </td>
                <td className="when">
                  {when(run.createdAt)}
                  <div className="quiet">
                    {visible(run.requestedBy)}
                    {run.cause === 'request' ? '' : `, ${visible(run.cause)}`}
                  </div>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ShowMore hasMore={hasNextPage} isLoading={isFetchingNextPage} onMore={() => void fetchNextPage()} />
    </section>
  );
}

/** How far it is; of what was only counted, what it would come to. */
function Progress({ of: run }: { of: Run }) {
  const { estimate, progress } = run;
  if (run.state === 'estimating') return <span className="quiet">counting what is there</span>;
  if (estimate !== null && isOnlyEstimated(run)) {
    const about = estimate.isExact ? '' : 'about ';
    return (
      <>
        {about}
        {count(estimate.objects)} objects,{' '}
        {estimate.toScan === 0 ? 'nothing' : `${about}${count(estimate.toScan)}`} to scan
        {estimate.toScan === 0 ? null : <div className="quiet">{costText(estimate)}</div>}
      </>
    );
  }
  return (
    <ProgressBar
      done={progress.done}
      total={progress.total}
      unit="objects"
      label={`Progress over ${placeOf(run)}`}
    />
  );
}

/** What it goes over, as people say it. */
export const placeOf = ({ bucket, prefix }: Pick<Run, 'bucket' | 'prefix'>): string =>
  visible(`${bucket ?? 'every bucket'}${prefix === '' ? '' : `/${prefix}`}`);

function Choice({
  label,
  value,
  of: choices,
  onChange,
}: {
  label: string;
  value: string;
  of: readonly string[];
  onChange: (value: string) => void;
}) {
  return (
    <label>
      {label}
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">any</option>
        {choices.map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
      </select>
    </label>
  );
}
