import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router-dom';
import { call, type Page } from '../api.js';
import { backfillPath, type Run } from '../backfills.js';
import { bucketPath, type Bucket } from '../buckets.js';
import { Check, Field } from '../parts/Fields.js';
import { Problem } from '../parts/Problem.js';
import { Query } from '../parts/Query.js';

/** Asks for a backfill. It is only estimated: it begins when somebody who saw the estimate says so. */
export function NewBackfillPage() {
  const buckets = useQuery({
    queryKey: ['every-bucket'],
    queryFn: () => call<Page<Bucket>>('/api/v1/buckets?limit=500'),
  });
  return (
    <section>
      <title>New backfill · Sallyport</title>
      <h1>New backfill</h1>
      <Query of={buckets}>{({ items }) => <NewBackfill buckets={items} />}</Query>
    </section>
  );
}

function NewBackfill({ buckets }: { buckets: readonly Bucket[] }) {
  const navigate = useNavigate();
  const [place, setPlace] = useState(buckets[0] === undefined ? '' : bucketPath(buckets[0]));
  const [prefix, setPrefix] = useState('');
  const [allVersions, setAllVersions] = useState(true);
  const [rescan, setRescan] = useState(false);
  const [after, setAfter] = useState('');
  const [before, setBefore] = useState('');
  const create = useMutation({
    mutationFn: () => {
      const chosen = buckets.find((bucket) => bucketPath(bucket) === place);
      return call<Run>('/api/v1/backfills', {
        method: 'POST',
        body: {
          bucket: chosen?.bucket ?? '',
          ...(chosen !== undefined && { endpointId: chosen.endpointId }),
          prefix,
          versions: allVersions ? 'all' : 'current',
          rescan,
          ...(after !== '' && { uploadedAfter: new Date(after).toISOString() }),
          ...(before !== '' && { uploadedBefore: new Date(before).toISOString() }),
        },
      });
    },
    onSuccess: (run) => navigate(backfillPath(run.id)),
  });
  return (
    <form
      className="card form"
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate();
      }}
    >
      <div className="cols">
        <Field label="Bucket">
          <select value={place} required onChange={(event) => setPlace(event.target.value)}>
            {buckets.map((bucket) => (
              <option key={bucketPath(bucket)} value={bucketPath(bucket)}>
                {bucket.bucket} ({bucket.endpointId})
              </option>
            ))}
          </select>
        </Field>
        <Field label="Keys that begin with" hint="All, when empty.">
          <input value={prefix} spellCheck={false} onChange={(event) => setPrefix(event.target.value)} />
        </Field>
      </div>
      <div className="cols">
        <Field label="Uploaded after">
          <input type="datetime-local" value={after} onChange={(event) => setAfter(event.target.value)} />
        </Field>
        <Field label="Uploaded before">
          <input type="datetime-local" value={before} onChange={(event) => setBefore(event.target.value)} />
        </Field>
      </div>
      <Check
        label="Every version, not only those that are there now"
        checked={allVersions}
        onChange={setAllVersions}
      />
      <Check label="Also what has a verdict already" checked={rescan} onChange={setRescan} />
      <Problem error={create.error} />
      <div className="row">
        <button type="submit" className="primary" disabled={create.isPending}>
          Estimate it
        </button>
        <span className="quiet">Nothing is scanned before you have seen what it comes to.</span>
      </div>
    </form>
  );
}
