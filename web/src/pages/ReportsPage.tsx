import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { call, type Page } from '../api.js';
import { when } from '../format.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';

interface Report {
  readonly id: string;
  readonly kind: string;
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly status: 'pending' | 'ready' | 'failed';
  readonly createdAt: number;
  readonly coverage: {
    readonly uploaded: number;
    readonly accountedFor: number;
    readonly gap: number;
    readonly addsUp: boolean;
  } | null;
}

const STATE: Readonly<Record<Report['status'], string>> = {
  pending: 'pending',
  ready: 'COMPLETED',
  failed: 'FAILED',
};

export function ReportsPage() {
  const client = useQueryClient();
  const reports = useQuery({
    queryKey: ['reports'],
    queryFn: () => call<Page<Report>>('/api/v1/reports'),
    refetchInterval: 3000,
  });
  const create = useMutation({
    mutationFn: () => call('/api/v1/reports', { method: 'POST', body: { kind: 'weekly' } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['reports'] }),
  });
  return (
    <section>
      <title>Reports · Sallyport</title>
      <div className="heading">
        <h1>Reports</h1>
        <span className="actions">
          <button
            type="button"
            className="primary"
            disabled={create.isPending}
            onClick={() => create.mutate()}
          >
            Report on this week so far
          </button>
        </span>
      </div>
      {create.error === null ? null : <p className="problem">{create.error.message}</p>}
      <Query of={reports}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="quiet">No report yet. The report of a week is made on the Monday after it.</p>
          ) : (
            <table>
              <thead>
                <tr>
                  <th>Period</th>
                  <th>State</th>
                  <th className="number">Uploaded</th>
                  <th>Adds up</th>
                  <th>Made</th>
                  <th>Read</th>
                </tr>
              </thead>
              <tbody>
                {items.map((report) => (
                  <tr key={report.id}>
                    <td>
                      {report.label}{' '}
                      <span className="quiet">
                        {when(report.from)} to {when(report.to)}
                      </span>
                    </td>
                    <td>
                      <State of={STATE[report.status]} />
                    </td>
                    <td className="number">{report.coverage?.uploaded ?? '–'}</td>
                    <td>
                      {report.coverage === null
                        ? '–'
                        : report.coverage.addsUp
                          ? '✓ yes'
                          : `✕ gap of ${report.coverage.gap}`}
                    </td>
                    <td>{when(report.createdAt)}</td>
                    <td>
                      {report.status === 'ready' ? (
                        <>
                          <a href={`/api/v1/reports/${report.id}/html`} target="_blank" rel="noreferrer">
                            HTML
                          </a>{' '}
                          <a href={`/api/v1/reports/${report.id}/json`} target="_blank" rel="noreferrer">
                            JSON
                          </a>
                        </>
                      ) : null}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Query>
    </section>
  );
}
