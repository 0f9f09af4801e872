import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router-dom';
import { call, type Page } from '../api.js';
import { bucketPath, endpointPath, type Bucket, type Endpoint } from '../buckets.js';
import { when } from '../format.js';
import { Doctor } from '../parts/Doctor.js';
import { EventQueues } from '../parts/EventQueues.js';
import { Query } from '../parts/Query.js';
import { ShowMore } from '../parts/ShowMore.js';
import { State } from '../parts/State.js';
import { useMay } from '../parts/useSession.js';
import { usePages } from '../parts/usePages.js';

/** The buckets whose uploads are scanned, and the endpoints where they are. */
export function BucketsPage() {
  const mayChange = useMay('operator');
  return (
    <section>
      <title>Buckets · Sallyport</title>
      <div className="heading">
        <h1>Buckets</h1>
        {mayChange ? (
          <span className="actions">
            <Link className="button primary" to="/new/bucket">
              Add a bucket
            </Link>
          </span>
        ) : null}
      </div>
      <Buckets />
      <div className="heading">
        <h2>Endpoints</h2>
        {mayChange ? (
          <span className="actions">
            <Link className="button" to="/new/endpoint">
              Add an endpoint
            </Link>
          </span>
        ) : null}
      </div>
      <Endpoints />
      <EventQueues />
      {mayChange ? <Doctor /> : null}
    </section>
  );
}

function Buckets() {
  const { items, error, hasNextPage, fetchNextPage, isFetchingNextPage } = usePages<Bucket>(
    '/api/v1/buckets',
    { limit: '100' },
    10_000,
  );
  return (
    <>
      {error === null ? null : (
        <p className="problem" role="alert">
          {error.message}
        </p>
      )}
      {items?.length === 0 ? (
        <p className="quiet">No bucket yet. What is uploaded elsewhere is not scanned.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Bucket</th>
              <th scope="col">Endpoint</th>
              <th scope="col">State</th>
              <th scope="col">Action</th>
              <th scope="col">Clean needs</th>
              <th scope="col">Reviewers</th>
              <th scope="col">Changed</th>
            </tr>
          </thead>
          <tbody>
            {items?.map((bucket) => (
              <tr key={bucketPath(bucket)}>
                <td>
                  <Link to={bucketPath(bucket)}>{bucket.bucket}</Link>
                </td>
                <td>{bucket.endpointId}</td>
                <td>
                  <State of={bucket.enabled ? 'ENABLED' : 'DISABLED'} />
                </td>
                <td>
                  {bucket.actionMode}
                  {bucket.actionMode === 'quarantine' ? (
                    <div className="quiet">to {bucket.quarantineBucket}</div>
                  ) : null}
                </td>
                <td>{bucket.required.join(', ')}</td>
                <td>{bucket.reviewers ?? 'everybody'}</td>
                <td>
                  {when(bucket.updatedAt)}
                  <div className="quiet">
                    {bucket.managedBy === 'configuration' ? 'follows the configuration' : bucket.updatedBy}
                  </div>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ShowMore hasMore={hasNextPage} isLoading={isFetchingNextPage} onMore={() => void fetchNextPage()} />
    </>
  );
}

function Endpoints() {
  const endpoints = useQuery({
    queryKey: ['endpoints'],
    queryFn: () => call<Page<Endpoint>>('/api/v1/endpoints'),
  });
  return (
    <Query of={endpoints}>
      {({ items }) => (
        <table>
          <thead>
            <tr>
              <th scope="col">Endpoint</th>
              <th scope="col">Address</th>
              <th scope="col">Region</th>
              <th scope="col">Credentials</th>
              <th scope="col">From</th>
            </tr>
          </thead>
          <tbody>
            {items.map((endpoint) => (
              <tr key={endpoint.id}>
                <td>
                  {endpoint.kind === 'registered' ? (
                    <Link to={endpointPath(endpoint.id)}>{endpoint.id}</Link>
                  ) : (
                    endpoint.id
                  )}
                </td>
                <td>{endpoint.url ?? 'AWS'}</td>
                <td>{endpoint.region}</td>
                <td>{credentialsText(endpoint)}</td>
                <td>{endpoint.kind === 'registered' ? 'here' : 'the configuration'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Query>
  );
}

function credentialsText({ credentials }: Endpoint): string {
  const { kind, accessKeyHint, roleArn } = credentials;
  if (kind === 'role') return roleArn ?? 'a role';
  if (kind === 'keys') return accessKeyHint === null ? 'keys' : `keys, ending in ${accessKeyHint}`;
  return "the machine's own";
}
