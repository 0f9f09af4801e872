import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useParams } from 'react-router-dom';
import { call } from '../api.js';
import { endpointPath, type Endpoint } from '../buckets.js';
import { ChangeForm, NewForm } from '../parts/EditForm.js';
import { Check, Field } from '../parts/Fields.js';
import { Held } from '../parts/Held.js';
import { Query } from '../parts/Query.js';
import { useChange, useCreate } from '../parts/useChange.js';
import { useMay } from '../parts/useSession.js';

interface Draft {
  readonly id: string;
  readonly url: string;
  readonly region: string;
  readonly pathStyle: boolean;
  /** `keep`: what is there stays. */
  readonly credentials: 'keep' | 'default' | 'keys' | 'role';
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly roleArn: string;
  readonly externalId: string;
}

const draftOf = (endpoint: Endpoint | undefined): Draft => ({
  id: '',
  url: endpoint?.url ?? '',
  region: endpoint?.region ?? 'us-east-1',
  pathStyle: endpoint?.pathStyle ?? false,
  credentials: endpoint === undefined ? 'keys' : 'keep',
  accessKeyId: '',
  secretAccessKey: '',
  roleArn: endpoint?.credentials.roleArn ?? '',
  externalId: endpoint?.credentials.externalId ?? '',
});

function bodyOf(draft: Draft): Record<string, unknown> {
  const { accessKeyId, secretAccessKey, roleArn } = draft;
  const keys = { accessKeyId: accessKeyId.trim(), secretAccessKey: secretAccessKey.trim() };
  const url = draft.url.trim();
  const externalId = draft.externalId.trim();
  const credentials = {
    keep: undefined,
    default: { kind: 'default' },
    keys: { kind: 'keys', ...keys },
    role: {
      kind: 'role',
      roleArn: roleArn.trim(),
      ...(externalId !== '' && { externalId }),
      ...(keys.accessKeyId !== '' && { keys }),
    },
  }[draft.credentials];
  return {
    url: url === '' ? null : url,
    region: draft.region.trim(),
    pathStyle: draft.pathStyle,
    ...(credentials !== undefined && { credentials }),
  };
}

/** Registers an endpoint. */
export function NewEndpointPage() {
  const [draft, setDraft] = useState(() => draftOf(undefined));
  const making = useCreate<Endpoint>({
    make: () =>
      call('/api/v1/endpoints', { method: 'POST', body: { id: draft.id.trim(), ...bodyOf(draft) } }),
    list: ['endpoints'],
    home: () => '/buckets',
  });
  return (
    <section>
      <title>Add an endpoint · Sallyport</title>
      <h1>Add an endpoint</h1>
      <NewForm making={making}>
        <EndpointFields draft={draft} set={setDraft} />
      </NewForm>
    </section>
  );
}

/** One endpoint that was registered here. */
export function EndpointPage() {
  const { id = '' } = useParams();
  const found = useQuery({
    queryKey: ['endpoint', id],
    // A form begins with what stands now, not with what was seen before.
    gcTime: 0,
    queryFn: () => call<Endpoint>(`/api/v1${endpointPath(id)}`),
  });
  return (
    <section>
      <title>{`${id} · Sallyport`}</title>
      <h1>{id}</h1>
      <Query of={found}>
        {(data) => (
          <Held latest={data} versionOf={({ version }) => version}>
            {(held, renew) => <ChangeEndpoint endpoint={held} onChanged={renew} />}
          </Held>
        )}
      </Query>
    </section>
  );
}

function ChangeEndpoint({
  endpoint,
  onChanged,
}: {
  endpoint: Endpoint;
  onChanged: (endpoint: Endpoint) => void;
}) {
  const mayChange = useMay('operator');
  const [draft, setDraft] = useState(() => draftOf(endpoint));
  const { version } = endpoint;
  const edit = useChange<Endpoint>({
    path: `/api/v1${endpointPath(endpoint.id)}`,
    method: 'PATCH',
    version,
    body: () => ({ version, ...bodyOf(draft) }),
    queryKey: ['endpoint', endpoint.id],
    lists: [['endpoints']],
    home: '/buckets',
    onChanged,
  });
  return (
    <ChangeForm
      edit={edit}
      version={version}
      last={endpoint}
      mayChange={mayChange}
      removal="Only an endpoint without buckets can be removed."
    >
      <EndpointFields draft={draft} set={setDraft} endpoint={endpoint} />
    </ChangeForm>
  );
}

function EndpointFields({
  draft,
  set,
  endpoint,
}: {
  draft: Draft;
  set: (draft: Draft) => void;
  endpoint?: Endpoint;
}) {
  const edit = (part: Partial<Draft>): void => set({ ...draft, ...part });
  const needsKeys = draft.credentials === 'keys' || draft.credentials === 'role';
  return (
    <>
      <div className="cols">
        {endpoint === undefined ? (
          <Field label="Name" hint="Small letters, digits, - and _; it cannot be changed later.">
            <input
              value={draft.id}
              required
              spellCheck={false}
              autoCapitalize="none"
              onChange={(event) => edit({ id: event.target.value })}
            />
          </Field>
        ) : null}
        <Field label="Address" hint="As https://s3.example.com; AWS, when empty.">
          <input
            value={draft.url}
            inputMode="url"
            spellCheck={false}
            autoCapitalize="none"
            onChange={(event) => edit({ url: event.target.value })}
          />
        </Field>
        <Field label="Region">
          <input
            value={draft.region}
            required
            spellCheck={false}
            onChange={(event) => edit({ region: event.target.value })}
          />
        </Field>
      </div>
      <Check
        label="Buckets in the path, not in the host name"
        checked={draft.pathStyle}
        onChange={(pathStyle) => edit({ pathStyle })}
      />
      <Field label="Credentials" hint="Keys are kept sealed and cannot be read back.">
        <select
          value={draft.credentials}
          onChange={(event) => edit({ credentials: event.target.value as Draft['credentials'] })}
        >
          {endpoint === undefined ? null : <option value="keep">Leave them as they are</option>}
          <option value="keys">Access keys</option>
          <option value="role">A role that we take on</option>
          <option value="default">The machine's own</option>
        </select>
      </Field>
      {draft.credentials === 'role' ? (
        <div className="cols">
          <Field label="Role">
            <input
              value={draft.roleArn}
              required
              placeholder="arn:aws:iam::123456789012:role/sallyport"
              spellCheck={false}
              onChange={(event) => edit({ roleArn: event.target.value })}
            />
          </Field>
          <Field label="External id">
            <input
              value={draft.externalId}
              spellCheck={false}
              onChange={(event) => edit({ externalId: event.target.value })}
            />
          </Field>
        </div>
      ) : null}
      {needsKeys ? (
        <div className="cols">
          <Field
            label="Access key id"
            hint={
              draft.credentials === 'role'
                ? "Of whoever takes the role on; the machine's own, when empty."
                : undefined
            }
          >
            <input
              value={draft.accessKeyId}
              required={draft.credentials === 'keys'}
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => edit({ accessKeyId: event.target.value })}
            />
          </Field>
          <Field label="Secret access key">
            <input
              type="password"
              value={draft.secretAccessKey}
              required={draft.credentials === 'keys'}
              autoComplete="new-password"
              onChange={(event) => edit({ secretAccessKey: event.target.value })}
            />
          </Field>
        </div>
      ) : null}
    </>
  );
}
