import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useParams } from 'react-router-dom';
import { call } from '../api.js';
import { visible, when } from '../format.js';
import { NameLink } from '../parts/NameLink.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';
import { ItemResults } from '../review/ItemResults.js';
import { nameOf, waits, type CaseAnswer, type CaseDetail } from '../reviews.js';

/** Open reviews about the same thing, decided together. */
export function CasePage() {
  const { id = '' } = useParams();
  const found = useQuery({
    queryKey: ['case', id],
    queryFn: () => call<CaseDetail>(`/api/v1/review-cases/${encodeURIComponent(id)}`),
    refetchInterval: 3000,
  });
  return (
    <Query of={found}>
      {(data) => (
        <section>
          <title>{`Case: ${visible(data.title)} · Sallyport`}</title>
          <div className="heading">
            <h1>Case: {visible(data.title)}</h1>
            <span className="quiet">
              {data.members} reviews, {data.waiting} of them wait; queue {data.queue}
            </span>
          </div>
          <p className="quiet">
            The same was found in each, or their bytes are the same. Each is decided under its own rules, and
            each workflow gets its own answer.
          </p>
          {data.decided === null ? null : (
            <p className="notice set">
              {data.decided.label} by {data.decided.by.name}, {when(data.decided.at)}
              {data.decided.reason === '' ? '' : `: “${visible(data.decided.reason)}”`}. What comes later
              begins another case.
            </p>
          )}
          <Decide shown={data} />
          {data.detached.length === 0 ? null : (
            <>
              <h2>Taken out</h2>
              <ul>
                {data.detached.map((one) => (
                  <li key={one.id}>
                    <Link to={`/reviews/${one.id}`}>{visible(one.title)}</Link>{' '}
                    <span className="quiet">
                      by {one.by.name}, {when(one.at)}
                    </span>
                  </li>
                ))}
              </ul>
            </>
          )}
        </section>
      )}
    </Query>
  );
}

function Decide({ shown }: { shown: CaseDetail }) {
  // What was there when the page was opened or looked at again: later arrivals are not decided unseen.
  const [seen, setSeen] = useState<ReadonlyMap<string, string>>(() => digestsOf(shown));
  const [reason, setReason] = useState('');
  const [asking, setAsking] = useState<string>();
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: ['case', shown.id] });
  const open = shown.reviews.filter(({ review }) => waits(review));
  const fresh = open.filter(({ review }) => seen.get(review.id) !== review.subjectDigest);
  const mine = open.filter(({ review, keptFrom }) => seen.has(review.id) && keptFrom === null);
  const decide = useMutation({
    mutationFn: ({ outcome, key }: { outcome: string; key: string }) =>
      call<CaseAnswer>(`/api/v1/review-cases/${shown.id}/decide`, {
        method: 'POST',
        body: {
          outcome,
          reason,
          items: mine.map(({ review: { id } }) => ({ id, digest: seen.get(id) })),
          idempotencyKey: key,
        },
      }),
    retry: (failures, error) => failures < 2 && (error as { status?: number }).status === 0,
    onSuccess: () => setAsking(undefined),
    onSettled: refresh,
  });
  const detach = useMutation({
    mutationFn: (reviewId: string) =>
      call(`/api/v1/review-cases/${shown.id}/detach`, { method: 'POST', body: { reviewId, reason } }),
    onSettled: refresh,
  });
  const names = Object.fromEntries(shown.reviews.map(({ review }) => [review.id, nameOf(review)]));
  const error = decide.error ?? detach.error;
  const outcomes = open[0]?.review.outcomes ?? [];
  return (
    <>
      {error === null ? null : (
        <p className="problem" role="alert">
          {error.message}
        </p>
      )}
      {decide.data === undefined ? null : <ItemResults answer={decide.data} names={names} />}
      {fresh.length === 0 ? null : (
        <p className="notice warn set" role="status">
          {fresh.length} joined, or changed, since you looked. They are not decided with the others until you
          have seen them.{' '}
          <button type="button" onClick={() => setSeen(digestsOf(shown))}>
            I have seen them
          </button>
        </p>
      )}
      {open.length === 0 ? null : (
        <form className="card decide" onSubmit={(event) => event.preventDefault()}>
          <h2>
            Your decision on {mine.length} of {open.length}
          </h2>
          <label>
            Reason <span className="quiet">(one for all, kept in the record)</span>
            <textarea
              rows={2}
              maxLength={2000}
              value={reason}
              onChange={({ target }) => setReason(target.value)}
            />
          </label>
          <div className="row">
            {outcomes.map((outcome) => (
              <button
                key={outcome.name}
                type="button"
                className={outcome.tone}
                disabled={
                  decide.isPending || mine.length === 0 || (outcome.needsReason && reason.trim() === '')
                }
                title={outcome.needsReason && reason.trim() === '' ? 'Needs a reason.' : outcome.effect}
                onClick={() =>
                  outcome.tone === 'danger' && asking !== outcome.name
                    ? setAsking(outcome.name)
                    : decide.mutate({ outcome: outcome.name, key: crypto.randomUUID() })
                }
              >
                {asking === outcome.name
                  ? `Really ${outcome.label.toLowerCase()} ${mine.length}`
                  : outcome.label}
              </button>
            ))}
          </div>
        </form>
      )}
      <table>
        <thead>
          <tr>
            <th>Object</th>
            <th>State</th>
            <th>Joined</th>
            <th>With the others</th>
          </tr>
        </thead>
        <tbody>
          {shown.reviews.map(({ review, joinedAt, keptFrom }) => (
            <tr key={review.id}>
              <td>
                <NameLink to={`/reviews/${review.id}`} name={visible(nameOf(review))} />
              </td>
              <td>
                {review.decision === null ? (
                  <State of={review.state} />
                ) : (
                  <strong>{review.decision.label}</strong>
                )}
                <div className="quiet">
                  {review.decision === null
                    ? review.votes.map(({ label, by }) => `${label}: ${by.name}`).join(', ')
                    : `by ${review.decision.by.name}`}
                </div>
              </td>
              <td className="when">{when(joinedAt)}</td>
              <td>
                {keptFrom === null ? null : <span className="quiet">{visible(keptFrom)}</span>}
                {waits(review) ? (
                  <button type="button" disabled={detach.isPending} onClick={() => detach.mutate(review.id)}>
                    Take it out
                  </button>
                ) : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

const digestsOf = ({ reviews }: CaseDetail): ReadonlyMap<string, string> =>
  new Map(reviews.map(({ review }) => [review.id, review.subjectDigest]));
