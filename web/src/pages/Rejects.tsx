import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api.js';
import { count, visible, when } from '../format.js';
import { ConfirmButton } from '../parts/ConfirmButton.js';
import { Problem } from '../parts/Problem.js';
import { Query } from '../parts/Query.js';
import { ShowMore } from '../parts/ShowMore.js';
import { usePages } from '../parts/usePages.js';
import { useMay } from '../parts/useSession.js';
import type { Reject } from '../queue.js';

interface Replayed {
  readonly outcome: 'taken' | 'rejected';
  readonly message?: string;
}

const PATH = '/api/v1/rejects';

/** What sources sent and nobody could use: to look at, and to take in again once its reason is mended. */
export function Rejects() {
  const client = useQueryClient();
  const mayChange = useMay('operator');
  const [shown, setShown] = useState<string>();
  const { items, error, hasNextPage, fetchNextPage, isFetchingNextPage } = usePages<Reject>(
    PATH,
    { limit: '20' },
    10_000,
  );
  const refresh = () => client.invalidateQueries({ queryKey: [PATH] });
  const replay = useMutation({
    mutationFn: (id: string) => call<Replayed>(`${PATH}/${id}/replay`, { method: 'POST', body: {} }),
    onSettled: refresh,
  });
  const remove = useMutation({
    mutationFn: (id: string) => call(`${PATH}/${id}`, { method: 'DELETE' }),
    onSettled: refresh,
  });
  const isBusy = replay.isPending || remove.isPending;
  return (
    <>
      <h2>Rejected events</h2>
      <Problem error={error ?? replay.error ?? remove.error} />
      <p role="status" className={replay.data?.outcome === 'rejected' ? 'problem' : 'quiet'}>
        {replay.data === undefined
          ? null
          : replay.data.outcome === 'taken'
            ? 'It was taken in.'
            : `It still cannot be used: ${visible(replay.data.message ?? 'see its reason')}`}
      </p>
      {items?.length === 0 ? (
        <p className="quiet">None: every event could be used.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Reason</th>
              <th scope="col">Source</th>
              <th scope="col" className="number">
                Times
              </th>
              <th scope="col">Last</th>
              {mayChange ? <th scope="col">Change</th> : null}
            </tr>
          </thead>
          <tbody>
            {items?.map((reject) => (
              <tr key={reject.id}>
                <td>
                  <strong>{reject.reason.replaceAll('_', ' ')}</strong>
                  <div className="quiet">
                    {visible(`${reject.path}${reject.path === '' ? '' : ': '}${reject.message}`)}
                  </div>
                  {mayChange ? (
                    <button
                      type="button"
                      className="plain"
                      aria-expanded={shown === reject.id}
                      onClick={() => setShown(shown === reject.id ? undefined : reject.id)}
                    >
                      What was sent
                    </button>
                  ) : null}
                  {shown === reject.id ? <Raw id={reject.id} /> : null}
                </td>
                <td>
                  {reject.source}
                  {reject.bucket === null ? null : <div className="quiet">{visible(reject.bucket)}</div>}
                </td>
                <td className="number">{count(reject.deliveries)}</td>
                <td>{when(reject.lastAt)}</td>
                {mayChange ? (
                  <td>
                    <span className="row">
                      <button
                        type="button"
                        disabled={isBusy || reject.truncated}
                        title={reject.truncated ? 'Only its beginning was kept.' : undefined}
                        onClick={() => replay.mutate(reject.id)}
                      >
                        Take it in again
                      </button>
                      <ConfirmButton
                        label="Forget"
                        question="Really forget"
                        disabled={isBusy}
                        onConfirm={() => remove.mutate(reject.id)}
                      />
                    </span>
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

function Raw({ id }: { id: string }) {
  const reject = useQuery({
    queryKey: ['reject', id],
    queryFn: () => call<Reject & { readonly raw: string }>(`${PATH}/${id}`),
  });
  return <Query of={reject}>{({ raw }) => <pre>{visible(raw)}</pre>}</Query>;
}
