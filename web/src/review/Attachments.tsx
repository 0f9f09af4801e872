import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { call, sendFile } from '../api.js';
import { size, visible, when } from '../format.js';
import type { Person, Review } from '../reviews.js';

interface Attachment {
  readonly id: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly attachedBy: Person;
  readonly attachedAt: string;
  readonly state: 'scanning' | 'clean' | 'refused';
  readonly why: string | null;
  readonly engines: readonly { readonly name: string; readonly version?: string }[];
}

const STATE_WORDS = {
  scanning: 'being scanned',
  clean: 'clean',
  refused: 'refused',
} as const;
// The server says the same; nobody should send 10 MB to hear it.
const MAX_BYTES = 10 * 1024 ** 2;

/** Files that people put beside a review: each is scanned before anybody can have it. */
export function Attachments({ review }: { review: Review }) {
  const path = `/api/v1/reviews/${encodeURIComponent(review.id)}/attachments`;
  const client = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const [file, setFile] = useState<File>();
  const list = useQuery({
    queryKey: ['review-attachments', review.id, review.timeline.length],
    queryFn: () => call<{ items: readonly Attachment[] }>(path),
  });
  const attach = useMutation({
    mutationFn: (chosen: File) => sendFile(`${path}?name=${encodeURIComponent(chosen.name)}`, chosen),
    onSuccess: () => {
      setFile(undefined);
      if (input.current !== null) input.current.value = '';
    },
    onSettled: async () => {
      await client.invalidateQueries({ queryKey: ['review-attachments', review.id] });
      await client.invalidateQueries({ queryKey: ['review', review.id] });
    },
  });
  const isTooLarge = file !== undefined && file.size > MAX_BYTES;
  const error = attach.error ?? list.error;
  return (
    <form
      className="card decide"
      onSubmit={(event) => {
        event.preventDefault();
        if (file !== undefined) attach.mutate(file);
      }}
    >
      <label>
        Attach a file <span className="quiet">(10 MB at most; scanned before anybody can have it)</span>
        <input ref={input} type="file" onChange={({ target }) => setFile(target.files?.[0] ?? undefined)} />
      </label>
      <div className="row">
        <button type="submit" disabled={attach.isPending || file === undefined || isTooLarge}>
          {attach.isPending ? 'Sending…' : 'Attach it'}
        </button>
      </div>
      {isTooLarge ? (
        <p className="problem" role="alert">
          It has {size(file.size)}; 10 MB may be attached.
        </p>
      ) : null}
      {error === null ? null : (
        <p className="problem" role="alert">
          {error.message}
        </p>
      )}
      <ul className="plain-list">
        {(list.data?.items ?? []).map((one) => (
          <li key={one.id}>
            {one.state === 'clean' ? (
              // A file of the server's own: the page stays.
              <a href={`${path}/${one.id}`} download>
                {visible(one.name)}
              </a>
            ) : (
              visible(one.name)
            )}{' '}
            · <strong>{STATE_WORDS[one.state]}</strong>
            <div className="quiet">
              {size(one.sizeBytes)}, {one.attachedBy.name}, {when(one.attachedAt)}
              {one.state === 'clean'
                ? `; looked at by ${one.engines.map(({ name }) => name).join(', ')}`
                : null}
            </div>
            {one.why === null ? null : <div>{visible(one.why)}</div>}
          </li>
        ))}
      </ul>
    </form>
  );
}
