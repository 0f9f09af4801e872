import { useFilters } from '../parts/useFilters.js';
import { ShowMore } from '../parts/ShowMore.js';
import { usePages } from '../parts/usePages.js';
import { visible, when } from '../format.js';

interface AuditEvent {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly data: unknown;
  readonly seq: number | null;
}

const MAX_DATA = 300;

/** What was done, by whom, the newest first. */
export function EventsTable() {
  const [filters, setFilter] = useFilters('actor', 'action', 'subject');
  const { items, error, hasNextPage, fetchNextPage, isFetchingNextPage } = usePages<AuditEvent>(
    '/api/v1/audit',
    { ...filters, limit: '50' },
    5000,
  );
  const field = (name: 'actor' | 'action' | 'subject', label: string, placeholder: string) => (
    <label className="wide">
      {label}
      <input
        value={filters[name]}
        placeholder={placeholder}
        onChange={({ target }) => setFilter(name, target.value)}
      />
    </label>
  );
  return (
    <>
      <h2>Events</h2>
      <div className="filters">
        {field('actor', 'By', 'user:…')}
        {field('action', 'What', 'review.decided')}
        {field('subject', 'To', 'review:…')}
      </div>
      {error === null ? null : <p className="problem">{error.message}</p>}
      <table className="events">
        <thead>
          <tr>
            <th>When</th>
            <th>By</th>
            <th>What</th>
            <th>To</th>
            <th className="number">Place</th>
          </tr>
        </thead>
        <tbody>
          {items?.map(({ id, at, actor, action, subject, data, seq }) => (
            <tr key={id}>
              <td>{when(at)}</td>
              <td>{visible(actor)}</td>
              <td>
                {action}
                <div className="quiet">{shortened(data)}</div>
              </td>
              <td>{visible(subject)}</td>
              <td className="number">{seq ?? '…'}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <ShowMore hasMore={hasNextPage} isLoading={isFetchingNextPage} onMore={() => void fetchNextPage()} />
    </>
  );
}

function shortened(data: unknown): string {
  const text = visible(JSON.stringify(data));
  return text === '{}' ? '' : text.length <= MAX_DATA ? text : `${text.slice(0, MAX_DATA)} …`;
}
