import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router-dom';
import { reasonWords } from '../../../src/verdicts/reason-words.js';
import { call } from '../api.js';
import { findingsWords, size, visible, when, type FindingCounts } from '../format.js';
import { NameLink } from '../parts/NameLink.js';
import { State } from '../parts/State.js';
import { ShowMore } from '../parts/ShowMore.js';
import { useFilters } from '../parts/useFilters.js';
import { usePages } from '../parts/usePages.js';
import { VERDICTS } from '../verdicts.js';

interface ObjectRow {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | null;
  readonly verdict: string;
  readonly reason?: string | null;
  readonly sizeBytes?: number | null;
  readonly firstSeenAt?: number | string | null;
  readonly action?: string | null;
  readonly decision?: string | null;
  readonly workflowId?: string | null;
  readonly findingCounts: FindingCounts;
}

/** The ledger: every object version and what was said of it. */
export function ObjectsPage() {
  const [filters, set] = useFilters('verdict', 'bucket', 'prefix');
  const { items, error, hasNextPage, fetchNextPage, isFetchingNextPage } = usePages<ObjectRow>(
    '/api/v1/objects',
    { ...filters, limit: '50' },
  );
  return (
    <section>
      <title>Objects · Sallyport</title>
      <h1>Objects</h1>
      <Summary chosen={filters.verdict} onChoose={(verdict) => set('verdict', verdict)} />
      <div className="filters">
        <label>
          Verdict
          <select value={filters.verdict} onChange={(event) => set('verdict', event.target.value)}>
            <option value="">any</option>
            {VERDICTS.map((verdict) => (
              <option key={verdict}>{verdict}</option>
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
          Key begins with
          <input
            value={filters.prefix}
            placeholder="anything"
            onChange={(event) => set('prefix', event.target.value)}
          />
        </label>
      </div>
      {error === null ? null : <p className="problem">{error.message}</p>}
      <table>
        <thead>
          <tr>
            <th>Object</th>
            <th>Verdict</th>
            <th>Findings</th>
            <th>Action</th>
            <th className="number">Size</th>
            <th>First seen</th>
            <th>Why</th>
          </tr>
        </thead>
        <tbody>
          {items?.map((object) => (
            <tr key={object.id}>
              <td>
                <NameLink to={`/objects/${object.id}`} name={visible(`${object.bucket}/${object.key}`)} />
              </td>
              <td className="word">
                <State of={object.verdict} />{' '}
                <div className="quiet">{visible(reasonWords(object.verdict, object.reason ?? ''))}</div>
              </td>
              <td className="word">{findingsWords(object.findingCounts)}</td>
              <td className="word">
                {object.action ?? '–'} <div className="quiet">{object.decision}</div>
              </td>
              <td className="number">{size(object.sizeBytes)}</td>
              <td className="when">{when(object.firstSeenAt)}</td>
              <td className="word">
                {object.workflowId === undefined || object.workflowId === null ? (
                  '–'
                ) : (
                  <Link to={`/executions/${object.workflowId}`}>graph</Link>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {items?.length === 0 ? <p className="quiet">No object matches.</p> : null}
      <ShowMore hasMore={hasNextPage} isLoading={isFetchingNextPage} onMore={() => void fetchNextPage()} />
    </section>
  );
}

function Summary({ chosen, onChoose }: { chosen: string; onChoose: (verdict: string) => void }) {
  const summary = useQuery({
    queryKey: ['objects-summary'],
    queryFn: () => call<{ counts?: Readonly<Record<string, number>> }>('/api/v1/objects/summary'),
    refetchInterval: 4000,
  });
  const counts = summary.data?.counts ?? {};
  const present = VERDICTS.filter((verdict) => (counts[verdict] ?? 0) > 0);
  if (present.length === 0) return null;
  return (
    <div className="tiles">
      {present.map((verdict) => (
        <button
          key={verdict}
          type="button"
          className="tile"
          aria-pressed={chosen === verdict}
          onClick={() => onChoose(chosen === verdict ? '' : verdict)}
        >
          <strong>{counts[verdict]}</strong>
          <State of={verdict} />
        </button>
      ))}
    </div>
  );
}
