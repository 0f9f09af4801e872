import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router-dom';
import { call, type Page } from '../api.js';
import { bucketPath, type Bucket, type Endpoint } from '../buckets.js';
import { when } from '../format.js';
import { ConfirmButton } from '../parts/ConfirmButton.js';
import { Doctor } from '../parts/Doctor.js';
import { Held } from '../parts/Held.js';
import { Problem } from '../parts/Problem.js';
import { Query } from '../parts/Query.js';
import { useMay } from '../parts/useSession.js';
import { BucketFields, bodyOf, draftOf, type BucketDraft } from './BucketFields.js';

const apiPath = (bucket: Pick<Bucket, 'endpointId' | 'bucket'>): string => `/api/v1${bucketPath(bucket)}`;

/** Registers a bucket. */
export function NewBucketPage() {
  const endpoints = useQuery({
    queryKey: ['endpoints'],
    queryFn: () => call<Page<Endpoint>>('/api/v1/endpoints'),
  });
  return (
    <section>
      <title>Add a bucket · Sallyport</title>
      <h1>Add a bucket</h1>
      <Query of={endpoints}>{({ items }) => <NewBucket endpoints={items} />}</Query>
    </section>
  );
}

function NewBucket({ endpoints }: { endpoints: readonly Endpoint[] }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [draft, setDraft] = useState(() => draftOf(undefined, endpoints[0]?.id ?? ''));
  const register = useMutation({
    mutationFn: () => {
      const { endpointId, bucket } = draft;
      return call<Bucket>('/api/v1/buckets', {
        method: 'POST',
        body: { endpointId, bucket: bucket.trim(), ...bodyOf(draft, undefined) },
      });
    },
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ['/api/v1/buckets'] });
      await navigate(bucketPath(made));
    },
  });
  return (
    <form
      className="card form"
      onSubmit={(event) => {
        event.preventDefault();
        register.mutate();
      }}
    >
      <BucketFields draft={draft} set={setDraft} endpoints={endpoints} />
      <Problem error={register.error} />
      <div className="row">
        <button type="submit" className="primary" disabled={register.isPending}>
          Add it
        </button>
      </div>
    </form>
  );
}

/** One bucket: how its uploads are treated, and the way out. */
export function BucketPage() {
  const { endpointId = '', bucket = '' } = useParams();
  const mayExamine = useMay('engineer');
  const found = useQuery({
    queryKey: ['bucket', endpointId, bucket],
    // A form begins with what stands now, not with what was seen before.
    gcTime: 0,
    queryFn: () => call<Bucket>(apiPath({ endpointId, bucket })),
  });
  return (
    <section>
      <title>{`${bucket} · Sallyport`}</title>
      <div className="heading">
        <h1>{bucket}</h1>
        <span className="quiet">on {endpointId}</span>
      </div>
      <Query of={found}>
        {(data) => (
          <>
            <Held latest={data} versionOf={({ version }) => version}>
              {(held, renew) => <ChangeBucket bucket={held} onChanged={renew} />}
            </Held>
            {mayExamine ? <Doctor bucket={{ endpointId, bucket }} /> : null}
          </>
        )}
      </Query>
    </section>
  );
}

function ChangeBucket({ bucket, onChanged }: { bucket: Bucket; onChanged: (bucket: Bucket) => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const mayChange = useMay('engineer');
  const [draft, setDraft] = useState<BucketDraft>(() => draftOf(bucket, bucket.endpointId));
  const queryKey = ['bucket', bucket.endpointId, bucket.bucket];
  const look = () => client.invalidateQueries({ queryKey });
  const change = useMutation({
    mutationFn: () =>
      call<Bucket>(apiPath(bucket), {
        method: 'PATCH',
        body: { version: bucket.version, ...bodyOf(draft, bucket) },
      }),
    onSuccess: async (changed) => {
      client.setQueryData(queryKey, changed);
      onChanged(changed);
      await client.invalidateQueries({ queryKey: ['/api/v1/buckets'] });
    },
    onError: look,
  });
  const remove = useMutation({
    mutationFn: () => call(`${apiPath(bucket)}?version=${bucket.version}`, { method: 'DELETE' }),
    onSuccess: async () => {
      // The list as it was still has it.
      client.removeQueries({ queryKey: ['/api/v1/buckets'] });
      await navigate('/buckets');
    },
    onError: look,
  });
  return (
    <form
      className="card form"
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate();
      }}
    >
      <p className="quiet">
        Version {bucket.version}, changed {when(bucket.updatedAt)} by {bucket.updatedBy}.{' '}
        {bucket.managedBy === 'configuration'
          ? 'It follows S3_BUCKETS and its companions until it is changed here.'
          : null}
      </p>
      <fieldset className="plain" disabled={!mayChange}>
        <BucketFields draft={draft} set={setDraft} bucket={bucket} />
      </fieldset>
      <Problem error={change.error ?? remove.error} />
      {mayChange ? (
        <div className="row">
          <button type="submit" className="primary" disabled={change.isPending}>
            Save
          </button>
          <ConfirmButton
            label="Remove"
            question="Really remove"
            effect="Nothing new in it is scanned; what is under way comes to its end."
            disabled={remove.isPending}
            onConfirm={() => remove.mutate()}
          />
        </div>
      ) : null}
    </form>
  );
}
