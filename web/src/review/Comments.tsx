import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api.js';
import { useSession } from '../parts/useSession.js';
import type { Review } from '../reviews.js';

/** Writing of a review, changing what one wrote last, and hearing of what others do. */
export function Comments({ review }: { review: Review }) {
  const [text, setText] = useState('');
  const [editing, setEditing] = useState<Written>();
  const client = useQueryClient();
  const me = useSession().data?.id;
  const last = lastOf(review, me);
  const isWatching = review.watchers.some(({ id }) => id === me);
  const send = useMutation({
    mutationFn: ({ method, path, body }: { method: string; path: string; body?: unknown }) =>
      call<Review>(`/api/v1/reviews/${review.id}/${path}`, {
        method,
        ...(body === undefined ? {} : { body }),
      }),
    onSuccess: () => {
      setText('');
      setEditing(undefined);
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['review', review.id] }),
  });
  const submit = (): void =>
    send.mutate(
      editing === undefined
        ? { method: 'POST', path: 'comment', body: { text } }
        : { method: 'PUT', path: `comments/${editing.id}`, body: { text, version: editing.version } },
    );
  return (
    <form
      className="card decide"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <label>
        {editing === undefined ? 'Comment' : 'Your last comment'}{' '}
        <span className="quiet">(@login tells somebody)</span>
        <textarea rows={2} maxLength={10_000} value={text} onChange={({ target }) => setText(target.value)} />
      </label>
      <div className="row">
        <button type="submit" disabled={send.isPending || text.trim() === ''}>
          {editing === undefined ? 'Write it' : 'Change it'}
        </button>
        {last === undefined || editing !== undefined ? null : (
          <button
            type="button"
            onClick={() => {
              setEditing(last);
              setText(last.text);
            }}
          >
            Change my last one
          </button>
        )}
        <button
          type="button"
          aria-pressed={isWatching}
          disabled={send.isPending}
          title="Every change comes to you by mail"
          onClick={() => send.mutate({ method: isWatching ? 'DELETE' : 'PUT', path: 'watch' })}
        >
          {isWatching ? 'Stop watching' : 'Watch'}
        </button>
        {review.watchers.length === 0 ? null : (
          <span className="quiet">watched by {review.watchers.map(({ name }) => name).join(', ')}</span>
        )}
      </div>
      {send.error === null ? null : (
        <p className="problem" role="alert">
          {send.error.message}
        </p>
      )}
    </form>
  );
}

interface Written {
  readonly id: string;
  readonly text: string;
  readonly version: number;
}

/** What somebody wrote last, as it reads now. */
function lastOf({ timeline }: Review, me: string | undefined): Written | undefined {
  const mine = timeline.filter(({ by }) => by.id === me);
  const written = mine.findLast(
    ({ kind, data }) => kind === 'commented' && typeof data['comment'] === 'string',
  );
  if (written === undefined) return undefined;
  const id = textOf(written.data['comment']);
  const now =
    mine.findLast(({ kind, data }) => kind === 'comment_edited' && data['comment'] === id) ?? written;
  const version = now.data['version'];
  return { id, text: textOf(now.data['text']), version: typeof version === 'number' ? version : 1 };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

interface Mention {
  readonly name: string;
  readonly told: string;
}

const TOLD: Readonly<Record<string, string>> = {
  mail: 'was told',
  no_address: 'has no address, and was not told',
  nobody: 'is nobody who may see this, and was not told',
  self: 'is the author',
};

/** Who was mentioned, and whether they heard of it. */
export function Mentions({ data }: { data: Readonly<Record<string, unknown>> }) {
  const mentions = data['mentions'];
  if (!Array.isArray(mentions)) return null;
  return (
    <p className="quiet">
      {(mentions as readonly Mention[]).map(({ name, told }) => `@${name} ${TOLD[told] ?? told}`).join('; ')}
    </p>
  );
}
