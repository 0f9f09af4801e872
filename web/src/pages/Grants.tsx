import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { call, type Page } from '../api.js';
import type { Grant, Group, Person } from '../accounts.js';
import { ConfirmButton } from '../parts/ConfirmButton.js';
import { Field } from '../parts/Fields.js';
import { Problem } from '../parts/Problem.js';
import { ShowMore } from '../parts/ShowMore.js';
import { useDeed } from '../parts/useDeed.js';
import { usePages } from '../parts/usePages.js';

const GRANTS = '/api/v1/grants';

/** Roles for one thing only. */
export function Grants({ groups, mayChange }: { groups: readonly Group[]; mayChange: boolean }) {
  const { items, error, hasNextPage, fetchNextPage, isFetchingNextPage } = usePages<Grant>(
    GRANTS,
    { limit: '100' },
    false,
  );
  const people = useQuery({
    queryKey: ['/api/v1/users', 'first'],
    queryFn: () => call<Page<Person>>('/api/v1/users?limit=500'),
  });
  const everybody = people.data?.items ?? [];
  const names = new Map([...everybody, ...groups].map(({ id, name }) => [id, name]));
  return (
    <>
      <h2>Grants</h2>
      <Problem error={error ?? people.error} />
      {items?.length === 0 ? (
        <p className="quiet">No grant yet. A grant is a role for one review queue or one group only.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Role</th>
              <th scope="col">Of</th>
              <th scope="col">Held by</th>
              <th scope="col">Given by</th>
              {mayChange ? <th scope="col">Change</th> : null}
            </tr>
          </thead>
          <tbody>
            {items?.map((grant) => (
              <GrantRow key={grant.id} grant={grant} names={names} mayChange={mayChange} />
            ))}
          </tbody>
        </table>
      )}
      <ShowMore hasMore={hasNextPage} isLoading={isFetchingNextPage} onMore={() => void fetchNextPage()} />
      {mayChange ? <NewGrant groups={groups} people={everybody} /> : null}
    </>
  );
}

const KINDS = { user: '', group: 'group ', apikey: 'key ' } as const;

function GrantRow({
  grant,
  names,
  mayChange,
}: {
  grant: Grant;
  names: ReadonlyMap<string, string>;
  mayChange: boolean;
}) {
  const take = useDeed([GRANTS]);
  const { role, scope, holder, createdBy } = grant;
  const giver = names.get(createdBy.replace(/^user:/, ''));
  return (
    <tr>
      <td>{role}</td>
      <td>{role === 'owner' ? `group ${names.get(scope) ?? scope}` : `queue ${scope}`}</td>
      <td>{KINDS[holder.kind] + (names.get(holder.id) ?? holder.id)}</td>
      <td>{giver ?? createdBy}</td>
      {mayChange ? (
        <td>
          <ConfirmButton
            label="Take"
            question="Take it back"
            disabled={take.isPending}
            onConfirm={() => take.run({ path: `${GRANTS}/${grant.id}`, method: 'DELETE' })}
          />
          <Problem error={take.error} />
        </td>
      ) : null}
    </tr>
  );
}

function NewGrant({ groups, people }: { groups: readonly Group[]; people: readonly Person[] }) {
  const [role, setRole] = useState<Grant['role']>('approver');
  const [scope, setScope] = useState('');
  const [holder, setHolder] = useState('');
  const give = useDeed([GRANTS], () => {
    setScope('');
    setHolder('');
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const [kind, id] = holder.split(':', 2);
    give.run({ path: GRANTS, method: 'POST', body: { holder: { kind, id }, role, scope: scope.trim() } });
  };
  return (
    <details className="card">
      <summary>Give a grant</summary>
      <form onSubmit={submit}>
        <div className="cols">
          <Field label="Role">
            <select
              value={role}
              onChange={(event) => {
                setRole(event.target.value as Grant['role']);
                setScope('');
              }}
            >
              <option value="approver">approver of a review queue</option>
              <option value="owner">owner of what a group owns</option>
            </select>
          </Field>
          {role === 'approver' ? (
            <Field label="Review queue">
              <input value={scope} required onChange={(event) => setScope(event.target.value)} />
            </Field>
          ) : (
            <Field label="Group" hint="Only its members, and itself, can be its owners.">
              <select value={scope} required onChange={(event) => setScope(event.target.value)}>
                <option value="">Choose a group</option>
                {groups.map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
              </select>
            </Field>
          )}
          <Field label="Held by">
            <select value={holder} required onChange={(event) => setHolder(event.target.value)}>
              <option value="">Choose who</option>
              {groups.map(({ id, name }) => (
                <option key={id} value={`group:${id}`}>
                  group {name}
                </option>
              ))}
              {people.map(({ id, name }) => (
                <option key={id} value={`user:${id}`}>
                  {name}
                </option>
              ))}
            </select>
          </Field>
        </div>
        <Problem error={give.error} />
        <button type="submit" className="primary" disabled={give.isPending}>
          Give the grant
        </button>
      </form>
    </details>
  );
}
