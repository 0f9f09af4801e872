import { useState, type FormEvent } from 'react';
import type { Person } from '../accounts.js';
import { ConfirmButton } from '../parts/ConfirmButton.js';
import { Field } from '../parts/Fields.js';
import { Problem } from '../parts/Problem.js';
import { RoleBoxes } from '../parts/RoleBoxes.js';
import { ShowMore } from '../parts/ShowMore.js';
import { State } from '../parts/State.js';
import { useDeed } from '../parts/useDeed.js';
import { usePages } from '../parts/usePages.js';

const USERS = '/api/v1/users';

/** Everybody with an account. Nobody is removed: what they did keeps its name. */
export function People({ mayChange }: { mayChange: boolean }) {
  const { items, error, hasNextPage, fetchNextPage, isFetchingNextPage } = usePages<Person>(
    USERS,
    { limit: '100' },
    false,
  );
  return (
    <>
      <h2>People</h2>
      <Problem error={error} />
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">E-mail</th>
            <th scope="col">Roles of their own</th>
            <th scope="col">Groups</th>
            <th scope="col">Logs in with</th>
            <th scope="col">State</th>
            {mayChange ? <th scope="col">Change</th> : null}
          </tr>
        </thead>
        <tbody>
          {items?.map((person) => (
            <PersonRow key={person.id} person={person} mayChange={mayChange} />
          ))}
        </tbody>
      </table>
      <ShowMore hasMore={hasNextPage} isLoading={isFetchingNextPage} onMore={() => void fetchNextPage()} />
      {mayChange ? <NewPerson /> : null}
    </>
  );
}

function PersonRow({ person, mayChange }: { person: Person; mayChange: boolean }) {
  const [roles, setRoles] = useState<readonly string[]>();
  const change = useDeed([USERS], () => setRoles(undefined));
  const path = `${USERS}/${person.id}`;
  return (
    <>
      <tr>
        <td>
          {person.name}
          {person.displayName === null ? null : <div className="quiet">{person.displayName}</div>}
        </td>
        <td>{person.email ?? ''}</td>
        <td>{person.roles.join(', ') || 'none'}</td>
        <td>{person.groups.join(', ')}</td>
        <td>{waysOf(person)}</td>
        <td>
          <State of={person.disabled ? 'DISABLED' : 'ENABLED'} />
        </td>
        {mayChange ? (
          <td>
            <span className="actions">
              <button
                type="button"
                aria-expanded={roles !== undefined}
                aria-label={`Roles of ${person.name}`}
                onClick={() => setRoles(roles === undefined ? person.roles : undefined)}
              >
                Roles
              </button>
              {person.disabled ? (
                <button
                  type="button"
                  aria-label={`Enable ${person.name}`}
                  disabled={change.isPending}
                  onClick={() => change.run({ path, method: 'PATCH', body: { disabled: false } })}
                >
                  Enable
                </button>
              ) : (
                <ConfirmButton
                  label="Disable"
                  question={`Disable ${person.name}`}
                  disabled={change.isPending}
                  onConfirm={() => change.run({ path, method: 'DELETE' })}
                />
              )}
            </span>
          </td>
        ) : null}
      </tr>
      {roles === undefined && change.error === null ? null : (
        <tr>
          <td colSpan={7}>
            {roles === undefined ? null : (
              <>
                <RoleBoxes roles={roles} onChange={setRoles} />
                <button
                  type="button"
                  className="primary"
                  disabled={change.isPending}
                  onClick={() => change.run({ path, method: 'PATCH', body: { roles } })}
                >
                  Set the roles of {person.name}
                </button>{' '}
                <span className="quiet">Other roles log {person.name} out.</span>
              </>
            )}
            <Problem error={change.error} />
          </td>
        </tr>
      )}
    </>
  );
}

const waysOf = ({ login, identity }: Person): string =>
  login === 'password' && identity !== null ? 'password, provider' : login;

const EMPTY = { name: '', email: '', password: '' };

function NewPerson() {
  const [draft, setDraft] = useState(EMPTY);
  const [roles, setRoles] = useState<readonly string[]>([]);
  const make = useDeed([USERS], () => {
    setDraft(EMPTY);
    setRoles([]);
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const email = draft.email.trim() === '' ? null : draft.email.trim();
    const body = { name: draft.name.trim(), email, password: draft.password, roles };
    make.run({ path: USERS, method: 'POST', body });
  };
  return (
    <details className="card">
      <summary>Add a person</summary>
      <form onSubmit={submit} autoComplete="off">
        <div className="cols">
          <Field label="Name" hint="That they log in with.">
            <input
              value={draft.name}
              required
              onChange={(event) => setDraft({ ...draft, name: event.target.value })}
            />
          </Field>
          <Field label="E-mail">
            <input
              type="email"
              value={draft.email}
              onChange={(event) => setDraft({ ...draft, email: event.target.value })}
            />
          </Field>
          <Field label="First password" hint="12 characters at least; they set another one themselves.">
            <input
              type="password"
              value={draft.password}
              required
              autoComplete="new-password"
              onChange={(event) => setDraft({ ...draft, password: event.target.value })}
            />
          </Field>
        </div>
        <RoleBoxes roles={roles} onChange={setRoles} />
        <Problem error={make.error} />
        <button type="submit" className="primary" disabled={make.isPending}>
          Add the person
        </button>
      </form>
    </details>
  );
}
