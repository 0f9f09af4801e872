import { Link } from 'react-router-dom';
import { moment, type WorkflowSummary } from '../api.js';
import { duration, when } from '../format.js';
import { State } from '../parts/State.js';
import { ShowMore } from '../parts/ShowMore.js';
import { useFilters } from '../parts/useFilters.js';
import { usePages } from '../parts/usePages.js';

const STATUSES = ['RUNNING', 'COMPLETED', 'FAILED', 'TIMED_OUT', 'TERMINATED', 'PAUSED'];

/** Every run, newest first. The filters are in the address, so that a view can be shared. */
export function ExecutionsPage() {
  const [filters, set] = useFilters('status', 'name');
  const { items, error, hasNextPage, fetchNextPage, isFetchingNextPage } = usePages<WorkflowSummary>(
    '/api/v1/executions',
    { ...filters, limit: '50' },
  );
  return (
    <section>
      <h1>Executions</h1>
      <div className="filters">
        <label>
          Status
          <select value={filters.status} onChange={(event) => set('status', event.target.value)}>
            <option value="">any</option>
            {STATUSES.map((status) => (
              <option key={status}>{status}</option>
            ))}
          </select>
        </label>
        <label>
          Workflow
          <input
            value={filters.name}
            placeholder="any"
            onChange={(event) => set('name', event.target.value)}
          />
        </label>
      </div>
      {error === null ? null : <p className="problem">{error.message}</p>}
      <table>
        <thead>
          <tr>
            <th>Workflow</th>
            <th>Status</th>
            <th>Started</th>
            <th className="number">Took</th>
            <th>Reason</th>
          </tr>
        </thead>
        <tbody>
          {items?.map((run) => (
            <tr key={run.workflowId}>
              <td>
                <Link to={`/executions/${run.workflowId}`}>{run.workflowName}</Link>{' '}
                <span className="quiet mono">{run.workflowId.slice(0, 8)}</span>
              </td>
              <td>
                <State of={run.status} />
              </td>
              <td>{when(run.createTime)}</td>
              <td className="number">
                {moment(run.endTime) === undefined
                  ? '–'
                  : duration((moment(run.endTime) ?? 0) - run.createTime)}
              </td>
              <td className="clip">{run.reasonForIncompletion}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {items?.length === 0 ? (
        <p className="quiet">No run matches. An upload to a registered bucket starts one.</p>
      ) : null}
      <ShowMore hasMore={hasNextPage} isLoading={isFetchingNextPage} onMore={() => void fetchNextPage()} />
    </section>
  );
}
