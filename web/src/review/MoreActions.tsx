import { useState } from 'react';
import type { Review } from '../reviews.js';
import { PersonSelect } from './PersonSelect.js';

export interface Act {
  readonly verb: string;
  readonly body?: unknown;
}

/** What else somebody may do with a review than decide it. Each needs a word or a choice first. */
export function MoreActions({
  review,
  disabled,
  onAct,
}: {
  review: Review;
  disabled: boolean;
  onAct: (act: Act) => void;
}) {
  const [text, setText] = useState('');
  const [until, setUntil] = useState('');
  const isWaiting = review.state === 'ON_HOLD' || review.state === 'INFO_REQUESTED';
  const untilIso = until === '' ? undefined : new Date(until).toISOString();
  const act = (made: Act): void => {
    onAct(made);
    setText('');
  };
  return (
    <details className="more">
      <summary>More</summary>
      <label>
        {review.info === null ? 'Question, or why' : 'Answer'}{' '}
        <span className="quiet">(@login in a question or answer tells somebody)</span>
        <textarea rows={2} maxLength={2000} value={text} onChange={({ target }) => setText(target.value)} />
      </label>
      <div className="row">
        {review.info === null ? (
          <button
            type="button"
            disabled={disabled || text.trim() === '' || isWaiting}
            onClick={() => act({ verb: 'ask', body: { question: text } })}
          >
            Ask back
          </button>
        ) : (
          <button
            type="button"
            disabled={disabled || text.trim() === ''}
            onClick={() => act({ verb: 'answer', body: { text } })}
          >
            Answer
          </button>
        )}
        <button
          type="button"
          disabled={disabled || text.trim() === ''}
          onClick={() => act({ verb: 'skip', body: { reason: text } })}
        >
          Skip
        </button>
        {isWaiting ? (
          <button type="button" disabled={disabled} onClick={() => act({ verb: 'resume' })}>
            Go on now
          </button>
        ) : null}
      </div>
      <GiveTo reason={text} disabled={disabled} onAct={act} />
      <label>
        Until
        <input type="datetime-local" value={until} onChange={({ target }) => setUntil(target.value)} />
      </label>
      <div className="row">
        <button
          type="button"
          disabled={disabled || untilIso === undefined || review.info !== null}
          onClick={() => act({ verb: 'hold', body: { until: untilIso, reason: text } })}
        >
          Put on hold
        </button>
        {review.dueAt === null ? null : (
          <button
            type="button"
            disabled={disabled || untilIso === undefined}
            onClick={() => act({ verb: 'postpone', body: { dueAt: untilIso, reason: text } })}
          >
            Move the deadline
          </button>
        )}
      </div>
    </details>
  );
}

function GiveTo({
  reason,
  disabled,
  onAct,
}: {
  reason: string;
  disabled: boolean;
  onAct: (act: Act) => void;
}) {
  const [to, setTo] = useState('');
  return (
    <div className="row">
      <label>
        Give it to
        <PersonSelect value={to} onChange={setTo} />
      </label>
      <button
        type="button"
        disabled={disabled || to === ''}
        onClick={() => onAct({ verb: 'reassign', body: { to, reason } })}
      >
        Reassign
      </button>
    </div>
  );
}
