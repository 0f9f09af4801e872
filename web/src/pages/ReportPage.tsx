import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router-dom';
import { call } from '../api.js';
import { size, visible, when } from '../format.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';
import { useMay } from '../parts/useSession.js';
import { fileHref, FORMS, isSoFar, STATE_OF, type ReportDetail } from '../reports.js';

/** One report: its files, whether somebody read it, and whom it was mailed to. */
export function ReportPage() {
  const { id = '' } = useParams();
  const mayTakeAll = useMay('auditor');
  const found = useQuery({
    queryKey: ['report', id],
    queryFn: () => call<ReportDetail>(`/api/v1/reports/${encodeURIComponent(id)}`),
    refetchInterval: ({ state }) => (state.data?.status === 'pending' ? 1_500 : 15_000),
  });
  return (
    <Query of={found}>
      {(report) => (
        <section>
          <title>{`Report ${report.label} · Sallyport`}</title>
          <div className="heading">
            <h1>
              Audit report {report.label} <State of={STATE_OF[report.status]} />
            </h1>
            <span className="actions">
              {FORMS.filter(
                ({ word, name }) => hasFile(report, name) && (mayTakeAll || word !== 'bundle'),
              ).map(({ word, label }) => (
                <a
                  key={word}
                  className="button"
                  href={fileHref(report.id, word)}
                  target="_blank"
                  rel="noreferrer"
                >
                  {label}
                </a>
              ))}
            </span>
          </div>
          <p className="quiet">
            {report.kind}, {when(report.from)} to {when(report.to)}
            {isSoFar(report) ? ' (so far: it was not over when it was looked at)' : ''}, asked for by{' '}
            {visible(report.requestedBy)}
          </p>
          <div className="cols">
            <Reading report={report} />
            <Evidence report={report} />
          </div>
          <Deliveries report={report} />
          <Restated report={report} />
        </section>
      )}
    </Query>
  );
}

const hasFile = ({ status, files }: ReportDetail, name: string): boolean =>
  files.some((file) => file.name === name) ||
  // A report of an earlier release has these two, and no list.
  (status === 'ready' && files.length === 0 && (name === 'report.html' || name === 'report.json'));

const READING: Readonly<Record<NonNullable<ReportDetail['reading']>['state'], string>> = {
  signed: '✓ read and answered',
  open: '… waits for somebody to read it',
  overdue: '✕ nobody read it in time',
  expired: '✕ nobody read it in time',
  none: '– nobody is asked',
};

function Reading({ report: { reading, coverage, workflowId } }: { report: ReportDetail }) {
  return (
    <div className="card">
      <h2>Read</h2>
      <p>
        {reading === null ? '… nobody is asked yet' : READING[reading.state]}
        {reading?.by
          ? ` by ${visible(reading.by)}, ${when(reading.at)}: ${visible(reading.outcome ?? '')}`
          : ''}
      </p>
      <p>
        {reading === null ? null : (
          <Link to={`/reviews/${reading.reviewId}`}>The question to its reader</Link>
        )}{' '}
        <Link to={`/executions/${encodeURIComponent(workflowId)}`}>How it was made</Link>
      </p>
      {coverage === null ? null : (
        <p>
          {coverage.uploaded} uploaded, {coverage.accountedFor} accounted for:{' '}
          {coverage.addsUp ? '✓ adds up' : `✕ gap of ${coverage.gap}`}
        </p>
      )}
    </div>
  );
}

function Evidence({ report }: { report: ReportDetail }) {
  return (
    <div className="card">
      <h2>Files</h2>
      {report.files.length === 0 ? <p className="quiet">None yet.</p> : null}
      <ul className="plain">
        {report.files.map(({ name, bytes }) => (
          <li key={name}>
            {name} <span className="quiet">{size(bytes)}</span>
          </li>
        ))}
      </ul>
      {report.manifestSha256 === null ? null : (
        <p className="quiet">
          The bundle holds every file and what it was made from; auditors download it. Unpacked,{' '}
          <code>node verify.mjs</code> checks it with nothing but Node. SHA-256 of its manifest:{' '}
          <code>{report.manifestSha256}</code>
        </p>
      )}
    </div>
  );
}

function Deliveries({ report: { deliveries } }: { report: ReportDetail }) {
  if (deliveries.length === 0) return null;
  return (
    <>
      <h2>Mailed to</h2>
      <table>
        <thead>
          <tr>
            <th>Address</th>
            <th>State</th>
            <th>When</th>
          </tr>
        </thead>
        <tbody>
          {deliveries.map(({ to, state, at, reason }) => (
            <tr key={to}>
              <td>{visible(to)}</td>
              <td>
                {state}
                {reason === null ? '' : `: ${visible(reason)}`}
              </td>
              <td>{when(at)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function Restated({ report: { restated } }: { report: ReportDetail }) {
  if (restated.length === 0) return null;
  return (
    <>
      <h2>What it restates of earlier reports</h2>
      <table>
        <thead>
          <tr>
            <th>Report</th>
            <th>Figure</th>
            <th className="number">Stated</th>
            <th className="number">Now</th>
          </tr>
        </thead>
        <tbody>
          {restated.map(({ label, figure, stated, now }) => (
            <tr key={`${label} ${figure}`}>
              <td>{label}</td>
              <td>{figure}</td>
              <td className="number">{stated}</td>
              <td className="number">{now}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
