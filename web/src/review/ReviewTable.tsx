import type { KeyboardEvent, ReactNode } from 'react';
import { Link } from 'react-router-dom';
import { holderWords, visible, when } from '../format.js';
import { NameLink } from '../parts/NameLink.js';
import { State } from '../parts/State.js';
import { nameOf, waits, type Column, type ReviewSummary } from '../reviews.js';

interface Drawn {
  readonly head: string;
  readonly className?: string;
  readonly cell: (review: ReviewSummary) => ReactNode;
}

export const COLUMNS: Readonly<Record<Column, Drawn>> = {
  object: {
    head: 'Object',
    cell: (review) => (
      <>
        <NameLink to={`/reviews/${review.id}`} name={visible(nameOf(review))} />
        {review.title === nameOf(review) ? null : (
          <div className="name quiet" title={visible(review.title)}>
            {visible(review.title)}
          </div>
        )}
      </>
    ),
  },
  verdict: {
    head: 'Verdict',
    cell: ({ verdict }) => (verdict === null ? '–' : <State of={verdict} />),
  },
  risk: { head: 'Risk', className: 'number', cell: ({ risk }) => risk },
  findings: { head: 'Findings', className: 'number', cell: ({ findingsTotal }) => findingsTotal },
  state: { head: 'State', cell: (review) => <Standing review={review} /> },
  queue: { head: 'Queue', cell: ({ queue }) => queue },
  due: { head: 'Due', className: 'when', cell: ({ dueAt }) => (dueAt === null ? '–' : when(dueAt)) },
  opened: { head: 'Opened', className: 'when', cell: ({ createdAt }) => when(createdAt) },
  case: {
    head: 'Case',
    cell: ({ caseId }) => (caseId === null ? '–' : <Link to={`/reviews/cases/${caseId}`}>with others</Link>),
  },
};

function Standing({ review }: { review: ReviewSummary }) {
  const { decision, claim, state } = review;
  if (decision === null)
    return (
      <>
        <State of={state} />
        {claim === null ? null : <div className="quiet">{holderWords(state, claim.by.name)}</div>}
      </>
    );
  return (
    <>
      <strong>{decision.label}</strong>{' '}
      <div className="quiet">
        by {decision.by.name} through {decision.via}
      </div>
    </>
  );
}

/** Reviews of which several can be selected: by mouse, or by Space, with the arrows from row to row. */
export function ReviewTable({
  items,
  columns,
  selected,
  onSelect,
}: {
  items: readonly ReviewSummary[];
  columns: readonly Column[];
  /** As they were shown when they were selected. */
  selected: ReadonlyMap<string, ReviewSummary>;
  onSelect: (selected: ReadonlyMap<string, ReviewSummary>) => void;
}) {
  const open = items.filter(waits);
  const areAll = open.length > 0 && open.every(({ id }) => selected.has(id));
  const toggle = (review: ReviewSummary): void => {
    const next = new Map(selected);
    if (!next.delete(review.id)) next.set(review.id, review);
    onSelect(next);
  };
  return (
    <table>
      <thead>
        <tr>
          <th className="pick">
            <input
              type="checkbox"
              aria-label="Select all that wait"
              checked={areAll}
              disabled={open.length === 0}
              onChange={() => onSelect(new Map(areAll ? [] : open.map((review) => [review.id, review])))}
            />
          </th>
          {columns.map((column) => (
            <th key={column} className={COLUMNS[column].className === 'number' ? 'number' : ''}>
              {COLUMNS[column].head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody onKeyDown={step}>
        {items.map((review) => (
          <tr key={review.id} className={selected.has(review.id) ? 'selected' : ''}>
            <td className="pick">
              <input
                type="checkbox"
                aria-label={`Select ${visible(nameOf(review))}`}
                checked={selected.has(review.id)}
                disabled={!waits(review)}
                onChange={() => toggle(review)}
              />
            </td>
            {columns.map((column) => (
              <td key={column} className={COLUMNS[column].className ?? ''}>
                {COLUMNS[column].cell(review)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Up and down between the rows' boxes. */
function step(event: KeyboardEvent<HTMLElement>): void {
  const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (by === 0 || !(event.target instanceof HTMLInputElement)) return;
  const boxes = [...event.currentTarget.querySelectorAll<HTMLInputElement>('td.pick input:not(:disabled)')];
  const next = boxes[boxes.indexOf(event.target) + by];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}
