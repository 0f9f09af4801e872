import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router-dom';
import { call } from '../api.js';
import { endpointPath, type Endpoint } from '../buckets.js';
import { when } from '../format.js';
import { ConfirmButton } from '../parts/ConfirmButton.js';
import { Check, Field } from '../parts/Fields.js';
import { Held } from '../parts/Held.js';
import { Problem } from '../parts/Problem.js';
import { Query } from '../parts/Query.js';
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
  const client = useQueryClient();
  const navigate = useNavigate();
  const [draft, setDraft] = useState(() => draftOf(undefined));
  const register = useMutation({
    mutationFn: () =>
      call<Endpoint>('/api/v1/endpoints', {
        method: 'POST',
        body: { id: draft.id.trim(), ...bodyOf(draft) },
      }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['endpoints'] });
      await navigate('/buckets');
    },
  });
  return (
    <section>
      <title>Add an endpoint · Sallyport</title>
      <h1>Add an endpoint</h1>
      <form
        className="card form"
        onSubmit={(event) => {
          event.preventDefault();
          register.mutate();
        }}
      >
        <EndpointFields draft={draft} set={setDraft} />
        <Problem error={register.error} />
        <div className="row">
          <button type="submit" className="primary" disabled={register.isPending}>
            Add it
          </button>
        </div>
      </form>
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
  const client = useQueryClient();
  const navigate = useNavigate();
  const mayChange = useMay('engineer');
  const [draft, setDraft] = useState(() => draftOf(endpoint));
  const path = `/api/v1${endpointPath(endpoint.id)}`;
  const queryKey = ['endpoint', endpoint.id];
  const look = () => client.invalidateQueries({ queryKey });
  const change = useMutation({
    mutationFn: () =>
      call<Endpoint>(path, { method: 'PATCH', body: { version: endpoint.version, ...bodyOf(draft) } }),
    onSuccess: async (changed) => {
      client.setQueryData(queryKey, changed);
      onChanged(changed);
      await client.invalidateQueries({ queryKey: ['endpoints'] });
    },
    onError: look,
  });
  const remove = useMutation({
    mutationFn: () => call(`${path}?version=${endpoint.version}`, { method: 'DELETE' }),
    onSuccess: async () => {
      // The list as it was still has it.
      client.removeQueries({ queryKey: ['endpoints'] });
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
        Version {endpoint.version}, changed {when(endpoint.updatedAt)} by {endpoint.updatedBy}.
      </p>
      <fieldset className="plain" disabled={!mayChange}>
        <EndpointFields draft={draft} set={setDraft} endpoint={endpoint} />
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
            effect="Only an endpoint without buckets can be removed."
            disabled={remove.isPending}
            onConfirm={() => remove.mutate()}
          />
        </div>
      ) : null}
    </form>
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
