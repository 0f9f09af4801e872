import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useLocation, useNavigate, useParams } from 'react-router-dom';
import { call, type Page } from '../api.js';
import { bucketPath, type Bucket, type ChangedBucket, type Endpoint } from '../buckets.js';
import { visible } from '../format.js';
import { Doctor } from '../parts/Doctor.js';
import { ChangeForm, NewForm } from '../parts/EditForm.js';
import { Held } from '../parts/Held.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';
import { useChange, useCreate } from '../parts/useChange.js';
import { useMay } from '../parts/useSession.js';
import { RescanCard } from './RescanCard.js';
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
  const [draft, setDraft] = useState(() => draftOf(undefined, endpoints[0]?.id ?? ''));
  const making = useCreate<ChangedBucket>({
    make: () => {
      const { endpointId, bucket } = draft;
      const body = { endpointId, bucket: bucket.trim(), ...bodyOf(draft, undefined) };
      return call('/api/v1/buckets', { method: 'POST', body });
    },
    list: ['/api/v1/buckets'],
    home: bucketPath,
  });
  return (
    <NewForm making={making}>
      <BucketFields draft={draft} set={setDraft} endpoints={endpoints} />
    </NewForm>
  );
}

/** One bucket: how its uploads are treated, and the way out. */
export function BucketPage() {
  const { endpointId = '', bucket = '' } = useParams();
  const mayExamine = useMay('operator');
  const [warnings, setWarnings] = useWarnings();
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
      {warnings.map((warning) => (
        <p key={warning} className="notice quietly warn" role="status">
          <State of="warn" /> {visible(warning)}
        </p>
      ))}
      <Query of={found}>
        {(data) => (
          <>
            <Held latest={data} versionOf={({ version }) => version}>
              {(held, renew) => (
                <ChangeBucket
                  bucket={held}
                  onChanged={(changed) => {
                    setWarnings(changed.warnings ?? []);
                    renew(changed);
                  }}
                />
              )}
            </Held>
            {mayExamine ? (
              <>
                <RescanCard bucket={bucket} />
                <Doctor bucket={{ endpointId, bucket }} />
              </>
            ) : null}
          </>
        )}
      </Query>
    </section>
  );
}

/** What the last change warned of; that of registering it comes with the way here, and a reload forgets it. */
function useWarnings() {
  const location = useLocation();
  const state = location.state as { readonly made?: ChangedBucket } | null;
  const warnings = useState(state?.made?.warnings ?? []);
  const navigate = useNavigate();
  // A reload would bring it back after it was mended.
  useEffect(() => {
    if (location.state !== null) void navigate(location.pathname, { replace: true, state: null });
  }, [location, navigate]);
  return warnings;
}

function ChangeBucket({ bucket, onChanged }: { bucket: Bucket; onChanged: (bucket: ChangedBucket) => void }) {
  const mayChange = useMay('author', 'operator');
  const [draft, setDraft] = useState<BucketDraft>(() => draftOf(bucket, bucket.endpointId));
  const { version } = bucket;
  const edit = useChange<ChangedBucket>({
    path: apiPath(bucket),
    method: 'PATCH',
    version,
    body: () => ({ version, ...bodyOf(draft, bucket) }),
    queryKey: ['bucket', bucket.endpointId, bucket.bucket],
    lists: [['/api/v1/buckets']],
    home: '/buckets',
    onChanged,
  });
  return (
    <ChangeForm
      edit={edit}
      version={version}
      last={bucket}
      note={
        bucket.managedBy === 'configuration'
          ? 'It follows S3_BUCKETS and its companions until it is changed here.'
          : null
      }
      mayChange={mayChange}
      removal="Nothing new in it is scanned; what is under way comes to its end."
    >
      <BucketFields draft={draft} set={setDraft} bucket={bucket} />
    </ChangeForm>
  );
}
