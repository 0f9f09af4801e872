import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { call, type Page } from '../api.js';
import { when } from '../format.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';
import {
  dayBefore,
  isSoFar,
  REPORT_KINDS,
  reportPath,
  STATE_OF,
  type Report,
  type ReportKind,
} from '../reports.js';

const SPANS: Readonly<Record<ReportKind, string>> = {
  weekly: 'week',
  monthly: 'month',
  quarterly: 'quarter',
};

export function ReportsPage() {
  const client = useQueryClient();
  const [kind, setKind] = useState<ReportKind>('weekly');
  const reports = useQuery({
    queryKey: ['reports'],
    queryFn: () => call<Page<Report>>('/api/v1/reports'),
    refetchInterval: 3000,
  });
  const create = useMutation({
    mutationFn: (which: 'this' | 'last') =>
      call('/api/v1/reports', {
        method: 'POST',
        body: { kind, ...(which === 'last' ? { from: dayBefore(kind, new Date()) } : {}) },
      }),
    onSettled: () => client.invalidateQueries({ queryKey: ['reports'] }),
  });
  return (
    <section>
      <title>Reports · Sallyport</title>
      <div className="heading">
        <h1>Reports</h1>
        <span className="actions">
          <label>
            <span className="visually-hidden">Kind of report</span>
            <select value={kind} onChange={({ target }) => setKind(target.value as ReportKind)}>
              {REPORT_KINDS.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
          <button
            type="button"
            className="primary"
            disabled={create.isPending}
            onClick={() => create.mutate('this')}
          >
            Report on this {SPANS[kind]} so far
          </button>
          <button type="button" disabled={create.isPending} onClick={() => create.mutate('last')}>
            On the last {SPANS[kind]}
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
                  <th>Kind</th>
                  <th>State</th>
                  <th className="number">Uploaded</th>
                  <th>Adds up</th>
                  <th>Made</th>
                </tr>
              </thead>
              <tbody>
                {items.map((report) => (
                  <tr key={report.id}>
                    <td>
                      <Link to={reportPath(report.id)}>{report.label}</Link>{' '}
                      <span className="quiet">
                        {when(report.from)} to {when(report.to)}
                        {isSoFar(report) ? ', so far' : ''}
                      </span>
                    </td>
                    <td>{report.kind}</td>
                    <td>
                      <State of={STATE_OF[report.status]} />
                    </td>
                    <td className="number">{report.coverage?.uploaded ?? '–'}</td>
                    <td>{sumText(report)}</td>
                    <td>{when(report.createdAt)}</td>
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

const sumText = ({ coverage }: Report): string =>
  coverage === null ? '–' : coverage.addsUp ? '✓ yes' : `✕ gap of ${coverage.gap}`;
