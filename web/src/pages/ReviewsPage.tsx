import { useSearchParams } from 'react-router-dom';
import { visible, when } from '../format.js';
import { NameLink } from '../parts/NameLink.js';
import { State } from '../parts/State.js';
import { ShowMore } from '../parts/ShowMore.js';
import { usePages } from '../parts/usePages.js';
import { QueueFigures } from '../review/QueueFigures.js';
import type { ReviewSummary } from '../reviews.js';

const VIEWS: Readonly<
  Record<
    string,
    { readonly name: string; readonly state: string; readonly of?: string; readonly sort?: string }
  >
> = {
  open: { name: 'Waiting for a decision', state: 'WAITING', sort: 'due' },
  mine: { name: 'Mine', state: 'WAITING', of: 'mine', sort: 'due' },
  asked: { name: 'I may take', state: 'WAITING', of: 'asked', sort: 'due' },
  breached: { name: 'Overdue', state: 'WAITING', of: 'breached', sort: 'due' },
  done: { name: 'Decided', state: 'COMPLETED,EXPIRED,SKIPPED' },
  all: { name: 'All', state: '' },
};

export function ReviewsPage() {
  const [search, setSearch] = useSearchParams();
  const view = search.get('view') ?? 'open';
  const { items, error, hasNextPage, fetchNextPage, isFetchingNextPage } = usePages<ReviewSummary>(
    '/api/v1/reviews',
    {
      state: VIEWS[view]?.state ?? '',
      view: VIEWS[view]?.of ?? '',
      sort: VIEWS[view]?.sort ?? '',
      limit: '50',
    },
  );
  return (
    <section>
      <title>Reviews · Sallyport</title>
      <div className="heading">
        <h1>Reviews</h1>
        <span className="actions">
          {Object.entries(VIEWS).map(([key, { name }]) => (
            <button
              key={key}
              type="button"
              aria-pressed={view === key}
              className={view === key ? 'primary' : ''}
              onClick={() => setSearch({ view: key })}
            >
              {name}
            </button>
          ))}
        </span>
      </div>
      <QueueFigures />
      {error === null ? null : <p className="problem">{error.message}</p>}
      {items?.length === 0 ? (
        <p className="card quiet">
          {view === 'open'
            ? 'Nothing waits for a decision. A finding in an upload opens a review.'
            : 'Nothing here yet.'}
        </p>
      ) : (
        <table>
          <thead>
            <tr>
              <th>Object</th>
              <th>Verdict</th>
              <th className="number">Findings</th>
              <th>State</th>
              <th>Due</th>
              <th>Opened</th>
            </tr>
          </thead>
          <tbody>
            {items?.map((review) => (
              <tr key={review.id}>
                <td>
                  <NameLink
                    to={`/reviews/${review.id}`}
                    name={visible(
                      review.object === null ? review.title : `${review.object.bucket}/${review.object.key}`,
                    )}
                  />
                </td>
                <td>{review.verdict === null ? '–' : <State of={review.verdict} />}</td>
                <td className="number">{review.findingsTotal}</td>
                <td>
                  {review.decision === null ? (
                    <>
                      <State of={review.state} />
                      {review.claim === null ? null : <div className="quiet">by {review.claim.by.name}</div>}
                    </>
                  ) : (
                    <>
                      <strong>{review.decision.label}</strong>{' '}
                      <div className="quiet">
                        by {review.decision.by.name} through {review.decision.via}
                      </div>
                    </>
                  )}
                </td>
                <td className="when">{review.dueAt === null ? '–' : when(review.dueAt)}</td>
                <td className="when">{when(review.createdAt)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ShowMore hasMore={hasNextPage} isLoading={isFetchingNextPage} onMore={() => void fetchNextPage()} />
    </section>
  );
}
