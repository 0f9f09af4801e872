import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { visible } from '../format.js';
import { call } from '../api.js';
import type { Review } from '../reviews.js';

/** A question by mail to whoever uploaded the object; the review waits for the answer. */
export function AskUploader({ review }: { review: Review }) {
  const client = useQueryClient();
  const [question, setQuestion] = useState('');
  const ask = useMutation({
    mutationFn: () =>
      call(`/api/v1/reviews/${encodeURIComponent(review.id)}/ask-uploader`, {
        method: 'POST',
        body: { question },
      }),
    onSuccess: () => setQuestion(''),
    onSettled: () => client.invalidateQueries({ queryKey: ['review', review.id] }),
  });
  if (review.uploaderNotAsked !== null)
    return (
      <div className="card">
        <h2>The uploader cannot be asked</h2>
        <p className="quiet">{visible(review.uploaderNotAsked)}</p>
      </div>
    );
  return (
    <details className="card more">
      <summary>Ask the uploader</summary>
      <p className="quiet">
        By mail, with the object’s name and your question, and nothing of what was found. The review waits
        three days for the answer.
      </p>
      <label>
        Question to the uploader
        <textarea
          rows={3}
          maxLength={2000}
          value={question}
          onChange={({ target }) => setQuestion(target.value)}
        />
      </label>
      <button type="button" disabled={ask.isPending || question.trim() === ''} onClick={() => ask.mutate()}>
        Send the question
      </button>
      {ask.error === null ? null : (
        <p className="problem" role="alert">
          {ask.error.message}
        </p>
      )}
    </details>
  );
}
