import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api.js';
import { nameOf, type BulkAnswer, type ReviewSummary } from '../reviews.js';
import { ItemResults } from './ItemResults.js';
import { PersonSelect } from './PersonSelect.js';

/** As many as the service changes with one request. */
export const MOST_SELECTED = 100;

type Action = Readonly<Record<string, unknown>> & { readonly action: string };

/** One thing to do with all that are selected, for one reason. */
export function BulkBar({
  selected,
  onDone,
}: {
  selected: readonly ReviewSummary[];
  /** Those that were done are selected no longer. */
  onDone: (ids: readonly string[]) => void;
}) {
  const [reason, setReason] = useState('');
  const [until, setUntil] = useState('');
  const [to, setTo] = useState('');
  const [asking, setAsking] = useState<string>();
  const [names, setNames] = useState<Readonly<Record<string, string>>>({});
  const client = useQueryClient();
  const act = useMutation({
    mutationFn: ({ action, key }: { action: Action; key: string }) => {
      setNames(Object.fromEntries(selected.map((review) => [review.id, nameOf(review)])));
      return call<BulkAnswer>('/api/v1/reviews/bulk', {
        method: 'POST',
        body: {
          ...action,
          // What this page shows of each: nobody decides on anything else.
          items: selected.map(({ id, subjectDigest: digest }) =>
            action.action === 'decide' ? { id, digest } : { id },
          ),
          idempotencyKey: key,
        },
      });
    },
    // The answer may be lost, and with the same key the request is the same one.
    retry: (failures, error) => failures < 2 && (error as { status?: number }).status === 0,
    onSuccess: (answer) => {
      setAsking(undefined);
      setReason('');
      onDone(answer.items.filter(({ result }) => result === 'done').map(({ id }) => id));
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['/api/v1/reviews'] }),
  });
  const run = (action: Action) => act.mutate({ action, key: crypto.randomUUID() });
  const count = selected.length;
  return (
    <>
      {act.error === null ? null : (
        <p className="problem" role="alert">
          {act.error.message}
        </p>
      )}
      {act.data === undefined ? null : <ItemResults answer={act.data} names={names} />}
      {count === 0 ? null : (
        <section className="card bulk" aria-label="What is selected">
          <strong aria-live="polite">
            {count} selected{count > MOST_SELECTED ? `: at most ${MOST_SELECTED} at once` : ''}
          </strong>
          <label>
            Reason <span className="quiet">(one for all, kept in the record)</span>
            <input value={reason} maxLength={2000} onChange={({ target }) => setReason(target.value)} />
          </label>
          <div className="row">
            {sharedOutcomes(selected).map((outcome) => (
              <button
                key={outcome.name}
                type="button"
                className={outcome.tone}
                disabled={
                  act.isPending || count > MOST_SELECTED || (outcome.needsReason && reason.trim() === '')
                }
                title={outcome.needsReason && reason.trim() === '' ? 'Needs a reason.' : outcome.effect}
                onClick={() =>
                  outcome.tone === 'danger' && asking !== outcome.name
                    ? setAsking(outcome.name)
                    : run({ action: 'decide', outcome: outcome.name, reason })
                }
              >
                {asking === outcome.name ? `Really ${outcome.label.toLowerCase()} ${count}` : outcome.label}
              </button>
            ))}
            {sharedOutcomes(selected).length > 0 ? null : (
              <span className="quiet">They have no outcome in common.</span>
            )}
            <button type="button" disabled={act.isPending} onClick={() => run({ action: 'claim' })}>
              Claim
            </button>
            <button type="button" disabled={act.isPending} onClick={() => run({ action: 'release' })}>
              Give back
            </button>
          </div>
          <div className="row">
            <label>
              Give to
              <PersonSelect value={to} onChange={setTo} />
            </label>
            <button
              type="button"
              disabled={act.isPending || to === ''}
              onClick={() => run({ action: 'reassign', to, reason })}
            >
              Reassign
            </button>
            <label>
              Until
              <input type="datetime-local" value={until} onChange={({ target }) => setUntil(target.value)} />
            </label>
            <button
              type="button"
              disabled={act.isPending || until === ''}
              onClick={() => run({ action: 'hold', until: new Date(until).toISOString(), reason })}
            >
              Put on hold
            </button>
          </div>
        </section>
      )}
    </>
  );
}

/** What can be chosen for all of them. */
function sharedOutcomes(selected: readonly ReviewSummary[]): ReviewSummary['outcomes'] {
  const [first, ...others] = selected;
  if (first === undefined) return [];
  return first.outcomes.filter(({ name }) =>
    others.every(({ outcomes }) => outcomes.some((outcome) => outcome.name === name)),
  );
}
