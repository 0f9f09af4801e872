import { Link } from 'react-router-dom';
import { visible } from '../format.js';
import type { BulkAnswer } from '../reviews.js';

const SAYS = { done: '✓ done', conflict: '↷ somebody was first', refused: '⊘ refused' } as const;

/** What came of each of many. */
export function ItemResults({
  answer,
  names,
}: {
  answer: BulkAnswer;
  names: Readonly<Record<string, string>>;
}) {
  const left = answer.conflicts + answer.refused;
  return (
    <div role="status" className={left === 0 ? 'notice set' : 'notice warn set'}>
      <strong>
        {answer.done} of {answer.items.length} done
        {left === 0 ? '.' : `; ${left} left as they were:`}
      </strong>
      {left === 0 ? null : (
        <ul className="results">
          {answer.items
            .filter(({ result }) => result !== 'done')
            .map(({ id, result, problem }) => (
              <li key={id}>
                <Link to={`/reviews/${id}`}>{visible(names[id] ?? id)}</Link>{' '}
                <span className="quiet">{SAYS[result]}</span>
                <div>{visible(problem?.detail ?? '')}</div>
              </li>
            ))}
        </ul>
      )}
    </div>
  );
}
