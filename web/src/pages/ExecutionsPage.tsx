import { useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { moment, type Page, type WorkflowSummary } from '../api.js';
import { duration, when } from '../format.js';
import { useLive } from '../live/useLive.js';
import { useThrottled } from '../live/useThrottled.js';
import { LiveBadge } from '../parts/LiveBadge.js';
import { State } from '../parts/State.js';
import { ShowMore } from '../parts/ShowMore.js';
import { useFilters } from '../parts/useFilters.js';
import { usePages } from '../parts/usePages.js';

const LIST = '/api/v1/executions';
const REFRESH_MS = 1_000;
type Pages = InfiniteData<Page<WorkflowSummary>>;
type Summary = Pick<
  WorkflowSummary,
  'workflowId' | 'status' | 'updateTime' | 'endTime' | 'reasonForIncompletion'
>;

const STATUSES = ['RUNNING', 'COMPLETED', 'FAILED', 'TIMED_OUT', 'TERMINATED', 'PAUSED'];

/** Every run, newest first. The filters are in the address, so that a view can be shared. */
export function ExecutionsPage() {
  const [filters, set] = useFilters('status', 'name');
  const client = useQueryClient();
  const parameters = { ...filters, limit: '50' };
  const { items, data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = usePages<WorkflowSummary>(
    LIST,
    parameters,
    false,
  );
  const [hasNewer, setHasNewer] = useState(false);
  const refresh = useThrottled(
    () => void client.invalidateQueries({ queryKey: [LIST, parameters] }),
    REFRESH_MS,
  );
  const liveness = useLive(
    `executions:${filters.name}`,
    () => ({ tasks: 'false', ...(filters.name === '' ? {} : { workflowName: filters.name }) }),
    (event, change) => {
      // Many pages are not fetched again: their rows follow the events, and newer runs wait for the reader.
      if (data === undefined || data.pages.length <= 1) {
        refresh();
        return;
      }
      const next = event === 'reset' ? undefined : patched(data, change as Summary);
      if (next === undefined) setHasNewer(true);
      else client.setQueryData<Pages>([LIST, parameters], next);
    },
  );
  return (
    <section>
      <title>Executions · Sallyport</title>
      <div className="heading">
        <h1>Executions</h1>
        <LiveBadge of={liveness} />
        {hasNewer ? (
          <button
            type="button"
            onClick={() => {
              setHasNewer(false);
              refresh();
            }}
          >
            Something changed: refresh
          </button>
        ) : null}
      </div>
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
                <span className="quiet mono">{run.workflowId.slice(-8)}</span>
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

/** The list with one row's newest state; `undefined` when the row is in none of its pages. */
function patched(list: Pages, { workflowId, status, updateTime, ...ending }: Summary): Pages | undefined {
  const { endTime, reasonForIncompletion } = ending;
  let isFound = false;
  const pages = list.pages.map((page) => {
    const at = page.items.findIndex((row) => row.workflowId === workflowId);
    const row = page.items[at];
    if (row === undefined) return page;
    isFound = true;
    const { endTime: _endTime, reasonForIncompletion: _reason, ...rest } = row;
    const next: WorkflowSummary = {
      ...rest,
      status,
      updateTime,
      ...(endTime === undefined ? {} : { endTime }),
      ...(reasonForIncompletion === undefined ? {} : { reasonForIncompletion }),
    };
    return { ...page, items: page.items.with(at, next) };
  });
  return isFound ? { ...list, pages } : undefined;
}
