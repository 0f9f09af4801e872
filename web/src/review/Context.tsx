import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api.js';
import { visible } from '../format.js';
import type { Review } from '../reviews.js';
import { mergedWindows, type ContextWindow } from './context-windows.js';

interface ReviewContext {
  readonly state: string;
  readonly readFrom: 'quarantine' | 'bucket' | null;
  readonly detail: string | null;
  readonly items: readonly ContextWindow[];
}

/** The lines around the findings, read from the object when somebody asks. */
export function Context({ review }: { review: Review }) {
  const [isAsked, setIsAsked] = useState(false);
  const context = useQuery({
    queryKey: ['review-context', review.id, review.subjectDigest],
    queryFn: () => call<ReviewContext>(`/api/v1/reviews/${encodeURIComponent(review.id)}/context`),
    enabled: isAsked,
    staleTime: 60_000,
    retry: false,
  });
  if (!review.findings.some(({ kind, line }) => kind === 'secret' && line != null)) return null;
  if (!isAsked || context.error !== null)
    return (
      <div className="row around">
        {context.error === null ? null : (
          <p className="problem" role="alert">
            {context.error.message}
          </p>
        )}
        <button
          type="button"
          onClick={() => (isAsked ? void context.refetch() : setIsAsked(true))}
          disabled={context.isFetching}
        >
          Show the lines around them
        </button>
      </div>
    );
  if (context.data === undefined) return <p className="quiet">Reading the object again…</p>;
  const { state, detail, readFrom, items } = context.data;
  if (state !== 'shown') return <p className="notice">{detail}</p>;
  return (
    <div className="card">
      <h2>The lines around them</h2>
      <p className="quiet">
        Read from {readFrom === 'quarantine' ? 'quarantine' : 'the bucket'} just now. What looks like a secret
        is masked.
      </p>
      {mergedWindows(items).map((item, index) => (
        <figure key={`${item.fingerprint}:${index}`} className="context">
          <figcaption className="mono quiet">
            {visible(item.path === '' ? (review.object?.key ?? '') : item.path)}
          </figcaption>
          {item.why === null ? null : <p className="quiet">{item.why}</p>}
          {item.lines.length === 0 ? null : (
            <pre>
              {item.lines.map((line) => (
                <span key={line.number} className={line.isFinding ? 'found' : undefined}>
                  <span className="quiet">{String(line.number).padStart(5)} </span>
                  <bdi>{line.text}</bdi>
                  {'\n'}
                </span>
              ))}
            </pre>
          )}
        </figure>
      ))}
    </div>
  );
}
