import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router-dom';
import { call } from '../api.js';
import { size, visible, when } from '../format.js';
import { ConfirmButton } from '../parts/ConfirmButton.js';
import { NameLink } from '../parts/NameLink.js';
import { Problem } from '../parts/Problem.js';
import { State } from '../parts/State.js';
import { ShowMore } from '../parts/ShowMore.js';
import { useFilters } from '../parts/useFilters.js';
import { usePages } from '../parts/usePages.js';
import { useMay } from '../parts/useSession.js';
import { ITEM_STATES, queueWords, SOURCES, type QueueItem } from '../queue.js';

// Above everything that comes by itself, and below what is typed by hand with a higher one.
const SOON = 90;

/** Single scans: what waits, what is tried later, what runs, and the dead letters. */
export function QueueItems() {
  const client = useQueryClient();
  const maySteer = useMay('operator');
  const [filters, set] = useFilters('state', 'bucket', 'source');
  const state = filters.state === '' ? 'dead' : filters.state;
  const { items, error, hasNextPage, fetchNextPage, isFetchingNextPage } = usePages<QueueItem>(
    '/api/v1/queue/items',
    { ...filters, state, limit: '50' },
  );
  const refresh = () =>
    Promise.all(
      [['queue'], ['/api/v1/queue/items']].map((queryKey) => client.invalidateQueries({ queryKey })),
    );
  const act = useMutation({
    mutationFn: ({ path, body }: { path: string; body: unknown }) =>
      call(`/api/v1/queue/${path}`, { method: 'POST', body }),
    onSettled: refresh,
  });
  const chosen = {
    ...(filters.bucket !== '' && { bucket: filters.bucket }),
    ...(filters.source !== '' && { source: filters.source }),
  };
  const isAll = Object.keys(chosen).length === 0;
  return (
    <>
      <div className="heading">
        <h2>Scans</h2>
        {maySteer && state === 'dead' && (items?.length ?? 0) > 0 ? (
          <span className="actions">
            <ConfirmButton
              label={isAll ? 'Redrive all' : 'Redrive all of these'}
              question="Really redrive them"
              effect="Each goes back to where it waited."
              disabled={act.isPending}
              onConfirm={() =>
                act.mutate({ path: 'dead-letters/redrive', body: isAll ? { all: true } : chosen })
              }
            />
          </span>
        ) : null}
      </div>
      <div className="filters">
        <label>
          State
          <select value={state} onChange={(event) => set('state', event.target.value)}>
            {ITEM_STATES.map((one) => (
              <option key={one} value={one}>
                {WORDS[one]}
              </option>
            ))}
          </select>
        </label>
        <label>
          Bucket
          <input
            value={filters.bucket}
            placeholder="any"
            onChange={(event) => set('bucket', event.target.value)}
          />
        </label>
        <label>
          Source
          <select value={filters.source} onChange={(event) => set('source', event.target.value)}>
            <option value="">any</option>
            {SOURCES.map((source) => (
              <option key={source}>{source}</option>
            ))}
          </select>
        </label>
      </div>
      <Problem error={error ?? act.error} />
      {items?.length === 0 ? (
        <p className="quiet">
          {state === 'dead' ? 'No dead letters: everything could be started.' : 'None.'}
        </p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Object</th>
              <th scope="col">Source</th>
              <th scope="col" className="number">
                Size
              </th>
              <th scope="col">Since</th>
              <th scope="col">Note</th>
              {maySteer ? <th scope="col">Change</th> : null}
            </tr>
          </thead>
          <tbody>
            {items?.map((item) => (
              <tr key={item.scanId}>
                <td>
                  <NameLink to={`/objects/${item.objectId}`} name={visible(`${item.bucket}/${item.key}`)} />
                </td>
                <td className="word">
                  {item.source}
                  {item.priority === null ? null : <div className="quiet">priority {item.priority}</div>}
                </td>
                <td className="number">{size(item.sizeBytes)}</td>
                <td className="when">{when(item.diedAt ?? item.enqueuedAt)}</td>
                <td>
                  {item.code === null ? null : <strong>{visible(item.code)} </strong>}
                  {item.reason === null ? null : visible(item.reason)}
                  {item.pause === null ? null : (
                    <div>
                      <State of="paused" />{' '}
                      <span className="quiet">
                        with {queueWords(item.pause)} since {when(item.pause.pausedAt)}, by{' '}
                        {visible(item.pause.pausedBy)}
                        {item.pause.reason === null ? '' : `: ${visible(item.pause.reason)}`}
                      </span>
                    </div>
                  )}
                  {item.notBefore === null || (item.attempts ?? 0) === 0 ? null : (
                    <div className="quiet">tried again {when(item.notBefore)}</div>
                  )}
                </td>
                {maySteer ? (
                  <td>
                    {item.state === 'running' ? (
                      <Link to={`/executions/${item.workflowId}`}>graph</Link>
                    ) : (
                      <span className="row">
                        <button
                          type="button"
                          disabled={act.isPending}
                          aria-label={`${item.state === 'dead' ? 'Redrive' : 'Scan soon'}: ${visible(item.key)}`}
                          onClick={() =>
                            act.mutate(
                              item.state === 'dead'
                                ? { path: 'dead-letters/redrive', body: { scanId: item.scanId } }
                                : { path: `items/${item.scanId}/requeue`, body: { priority: SOON } },
                            )
                          }
                        >
                          {item.state === 'dead' ? 'Redrive' : 'Scan soon'}
                        </button>
                        <ConfirmButton
                          label="Give up"
                          question="Really give up"
                          effect="The ledger says that it was skipped."
                          disabled={act.isPending}
                          onConfirm={() => act.mutate({ path: `items/${item.scanId}/cancel`, body: {} })}
                        />
                      </span>
                    )}
                  </td>
                ) : null}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ShowMore hasMore={hasNextPage} isLoading={isFetchingNextPage} onMore={() => void fetchNextPage()} />
    </>
  );
}

const WORDS: Readonly<Record<(typeof ITEM_STATES)[number], string>> = {
  waiting: 'waiting',
  postponed: 'tried later',
  running: 'running',
  dead: 'dead letters',
};
