import { useState } from 'react';
import { useSearchParams } from 'react-router-dom';
import { visible } from '../format.js';
import { LiveBadge } from '../parts/LiveBadge.js';
import { ShowMore } from '../parts/ShowMore.js';
import { usePages } from '../parts/usePages.js';
import { useSeenReviews } from '../parts/useSession.js';
import { useSettled } from '../parts/useSettled.js';
import { MailChoice } from '../review/MailChoice.js';
import { MySlackAccounts } from '../review/MySlackAccounts.js';
import { BulkBar } from '../review/BulkBar.js';
import { NoReviews } from '../review/NoReviews.js';
import { QueueFigures, useQueueFigures } from '../review/QueueFigures.js';
import { COLUMNS, ReviewTable } from '../review/ReviewTable.js';
import { SaveView, useSavedViews } from '../review/SavedViews.js';
import { useReviewEvents } from '../review/useReviewEvents.js';
import type { Column, ReviewSummary, ViewSpec } from '../reviews.js';

const SHOWN: readonly Column[] = ['object', 'verdict', 'findings', 'state', 'due', 'opened'];
/** The same where reviews are in more than one queue. */
const SHOWN_OF_QUEUES: readonly Column[] = [
  'object',
  'verdict',
  'findings',
  'state',
  'queue',
  'due',
  'opened',
];
const list = (name: string, spec: Partial<ViewSpec>): { readonly name: string; readonly spec: ViewSpec } => ({
  name,
  spec: { states: ['WAITING'], view: null, queue: null, q: '', sort: 'due', columns: SHOWN, ...spec },
});

const VIEWS: Readonly<Record<string, ReturnType<typeof list>>> = {
  open: list('Waiting for a decision', {}),
  mine: list('Mine', { view: 'mine' }),
  asked: list('I may take', { view: 'asked' }),
  breached: list('Overdue', { view: 'breached' }),
  done: list('Decided', { states: ['COMPLETED', 'EXPIRED', 'SKIPPED'], sort: 'created' }),
  all: list('All', { states: [], sort: 'created' }),
};
const OPEN = list('', {}).spec;

const SORTS: Readonly<Record<ViewSpec['sort'], string>> = {
  due: 'what is due first',
  risk: 'the gravest first',
  created: 'the newest first',
};

/** The backlog: what waits for people, in lists that they make for themselves. */
export function ReviewsPage() {
  const seen = useSeenReviews();
  if (seen === undefined) return null;
  return seen === 'none' ? <NothingSeen /> : <Backlog />;
}

function NothingSeen() {
  return (
    <section>
      <title>Reviews · Sallyport</title>
      <div className="heading">
        <h1>Reviews</h1>
      </div>
      <div className="card">
        <NoReviews />
      </div>
    </section>
  );
}

function Backlog() {
  const [search, setSearch] = useSearchParams();
  const saved = useSavedViews();
  const key = search.get('view') ?? 'open';
  const current = saved.data?.items.find(({ id }) => id === key);
  const isOneQueue = (useQueueFigures().data?.queues.length ?? 0) < 2;
  const own = VIEWS[key]?.spec ?? OPEN;
  const spec = changed(current?.spec ?? (isOneQueue ? own : { ...own, columns: SHOWN_OF_QUEUES }), search);
  // As it was shown when it was selected: that is what is decided on.
  const [selected, setSelected] = useState<ReadonlyMap<string, ReviewSummary>>(new Map());
  const q = useSettled(spec.q.trim());
  const { items, error, hasNextPage, fetchNextPage, isFetchingNextPage } = usePages<ReviewSummary>(
    '/api/v1/reviews',
    {
      state: spec.states.join(','),
      view: spec.view ?? '',
      queue: spec.queue ?? '',
      q,
      sort: spec.sort,
      limit: '50',
    },
    false,
  );
  const liveness = useReviewEvents();
  const go = (view: string): void => {
    setSelected(new Map());
    setSearch({ view });
  };
  const set = (name: string, value: string): void =>
    setSearch(
      (old) => {
        const next = new URLSearchParams(old);
        next.set(name, value);
        return next;
      },
      { replace: true },
    );
  return (
    <section>
      <title>Reviews · Sallyport</title>
      <div className="heading">
        <h1>Reviews</h1>
        <LiveBadge of={liveness} />
        <span className="actions">
          {Object.entries(VIEWS).map(([name, view]) => (
            <ViewButton key={name} isShown={key === name} name={view.name} onGo={() => go(name)} />
          ))}
          {saved.data?.items.map(({ id, name, owner, isMine }) => (
            <ViewButton
              key={id}
              isShown={key === id}
              name={visible(name)}
              title={isMine ? 'Your list' : `A list of ${visible(owner.name)}`}
              onGo={() => go(id)}
            />
          ))}
        </span>
      </div>
      <QueueFigures />
      <div className="filters">
        <label>
          Search
          <input
            type="search"
            value={spec.q}
            maxLength={200}
            placeholder="title, bucket, key, comments"
            onChange={({ target }) => set('q', target.value)}
          />
        </label>
        <label>
          Queue
          <input
            value={spec.queue ?? ''}
            maxLength={100}
            placeholder="all"
            onChange={({ target }) => set('queue', target.value)}
          />
        </label>
        <label>
          Order
          <select value={spec.sort} onChange={({ target }) => set('sort', target.value)}>
            {Object.entries(SORTS).map(([name, words]) => (
              <option key={name} value={name}>
                {words}
              </option>
            ))}
          </select>
        </label>
      </div>
      {saved.error === null ? null : <p className="problem">{saved.error.message}</p>}
      {error === null ? null : <p className="problem">{error.message}</p>}
      <BulkBar
        selected={[...selected.values()]}
        onDone={(ids) => setSelected((old) => new Map([...old].filter(([id]) => !ids.includes(id))))}
      />
      {items?.length === 0 ? (
        <p className="card quiet">
          {key === 'open' && q === '' && (spec.queue ?? '') === ''
            ? 'Nothing waits for a decision. A finding in an upload opens a review.'
            : 'Nothing here.'}
        </p>
      ) : (
        <ReviewTable items={items ?? []} columns={spec.columns} selected={selected} onSelect={setSelected} />
      )}
      <ShowMore hasMore={hasNextPage} isLoading={isFetchingNextPage} onMore={() => void fetchNextPage()} />
      <SaveView
        spec={spec}
        current={current}
        onColumns={(columns) => set('columns', columns.join(','))}
        onSaved={(id) => go(id ?? 'open')}
      />
      <MailChoice />
      <MySlackAccounts />
    </section>
  );
}

function ViewButton({
  isShown,
  name,
  title,
  onGo,
}: {
  isShown: boolean;
  name: string;
  title?: string;
  onGo: () => void;
}) {
  return (
    <button
      type="button"
      aria-pressed={isShown}
      className={isShown ? 'primary' : ''}
      title={title}
      onClick={onGo}
    >
      {name}
    </button>
  );
}

/** A list as the address changes it, so that it can be sent to somebody and survives a reload. */
function changed(spec: ViewSpec, search: URLSearchParams): ViewSpec {
  const sort = search.get('sort');
  const queue = search.get('queue') ?? spec.queue;
  const columns = search.get('columns')?.split(',').filter(isColumn) ?? [];
  return {
    ...spec,
    q: search.get('q') ?? spec.q,
    queue: queue === '' ? null : queue,
    sort: sort !== null && Object.hasOwn(SORTS, sort) ? (sort as ViewSpec['sort']) : spec.sort,
    columns: columns.length > 0 ? columns : spec.columns,
  };
}

const isColumn = (name: string): name is Column => Object.hasOwn(COLUMNS, name);
