import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api.js';
import { size, visible, when } from '../format.js';
import { useSession } from '../parts/useSession.js';
import type { Person, Review } from '../reviews.js';

interface Download {
  readonly id: string;
  readonly state: string;
  readonly askedBy: Person;
  readonly reason: string;
  readonly askedAt: string;
  readonly answered: { readonly answer: string; readonly by: Person; readonly reason: string } | null;
  readonly sizeBytes: number;
  readonly sent: { readonly bytes: number; readonly sha256: string; readonly isWhole: boolean } | null;
}

const STATE_WORDS: Readonly<Record<string, string>> = {
  waiting: 'waits for somebody else to agree',
  ready: 'may be fetched',
  refused: 'refused',
  expired: 'not fetched in time',
  sending: 'being sent',
  whole: 'sent',
  broken_off: 'broken off',
  not_known: 'sent; how it ended is not known',
};

/** The bytes of the object, for one person, once, with a reason. */
export function Downloads({ review }: { review: Review }) {
  const path = `/api/v1/reviews/${encodeURIComponent(review.id)}/downloads`;
  const client = useQueryClient();
  const me = useSession().data?.id;
  const [reason, setReason] = useState('');
  const list = useQuery({
    queryKey: ['review-downloads', review.id, review.timeline.length],
    queryFn: () => call<{ items: readonly Download[] }>(path),
  });
  const refresh = () => client.invalidateQueries({ queryKey: ['review-downloads', review.id] });
  const post = useMutation({
    mutationFn: ({ to, body }: { to: string; body: unknown }) =>
      call(`${path}${to}`, { method: 'POST', body }),
    onSuccess: () => setReason(''),
    onSettled: refresh,
  });
  const fetchIt = useMutation({
    mutationFn: (id: string) => call<{ url: string }>(`${path}/${id}/link`, { method: 'POST', body: {} }),
    // The answer is a file: the page stays.
    onSuccess: ({ url }) => window.location.assign(new URL(url).pathname),
    onSettled: refresh,
  });
  const error = post.error ?? fetchIt.error ?? list.error;
  return (
    <details className="card more">
      <summary>Download the object</summary>
      <p className="quiet">
        It may be harmful. Who downloads it, why, and how it ended is kept in the timeline; a link works once.
      </p>
      <label>
        Reason
        <textarea
          rows={2}
          maxLength={2000}
          value={reason}
          onChange={({ target }) => setReason(target.value)}
        />
      </label>
      <button
        type="button"
        disabled={post.isPending || reason.trim() === ''}
        onClick={() => post.mutate({ to: '', body: { reason } })}
      >
        Ask for a download
      </button>
      {error === null ? null : (
        <p className="problem" role="alert">
          {error.message}
        </p>
      )}
      <ul className="plain-list">
        {(list.data?.items ?? []).map((download) => (
          <li key={download.id}>
            <strong>{STATE_WORDS[download.state] ?? download.state}</strong> · {download.askedBy.name},{' '}
            {when(download.askedAt)}, {size(download.sizeBytes)}: {visible(download.reason)}
            {download.answered === null || download.answered.answer !== 'refused'
              ? null
              : ` (${download.answered.by.name}: ${visible(download.answered.reason)})`}
            {download.sent === null ? null : <div className="mono quiet">SHA-256 {download.sent.sha256}</div>}
            <div className="row">
              {download.state === 'ready' && download.askedBy.id === me ? (
                <button
                  type="button"
                  disabled={fetchIt.isPending}
                  onClick={() => fetchIt.mutate(download.id)}
                >
                  Download
                </button>
              ) : null}
              {download.state === 'waiting' && download.askedBy.id !== me ? (
                <>
                  <button
                    type="button"
                    disabled={post.isPending}
                    onClick={() => post.mutate({ to: `/${download.id}/grant`, body: { reason } })}
                  >
                    Agree
                  </button>
                  <button
                    type="button"
                    disabled={post.isPending || reason.trim() === ''}
                    onClick={() => post.mutate({ to: `/${download.id}/refuse`, body: { reason } })}
                  >
                    Refuse, with the reason above
                  </button>
                </>
              ) : null}
            </div>
          </li>
        ))}
      </ul>
    </details>
  );
}
