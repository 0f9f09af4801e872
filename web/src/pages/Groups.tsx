import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { call, type Page } from '../api.js';
import type { Group, Person, WholeGroup } from '../accounts.js';
import { ConfirmButton } from '../parts/ConfirmButton.js';
import { Field } from '../parts/Fields.js';
import { Problem } from '../parts/Problem.js';
import { Query } from '../parts/Query.js';
import { RoleBoxes } from '../parts/RoleBoxes.js';
import { useDeed } from '../parts/useDeed.js';

const GROUPS = '/api/v1/groups';
// What shows members and roles of groups.
const LISTS = [GROUPS, 'group', '/api/v1/users', '/api/v1/grants'];

/** Groups of people, who have the group's roles beside their own. */
export function Groups({ groups, mayChange }: { groups: readonly Group[]; mayChange: boolean }) {
  return (
    <>
      <h2>Groups</h2>
      {groups.length === 0 ? (
        <p className="quiet">No group yet. Members have the group’s roles beside their own.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Group</th>
              <th scope="col">Roles of its members</th>
              <th scope="col">Members</th>
              {mayChange ? <th scope="col">Change</th> : null}
            </tr>
          </thead>
          <tbody>
            {groups.map((group) => (
              <GroupRow key={group.id} group={group} mayChange={mayChange} />
            ))}
          </tbody>
        </table>
      )}
      {mayChange ? <NewGroup /> : null}
    </>
  );
}

function GroupRow({ group, mayChange }: { group: Group; mayChange: boolean }) {
  const [isOpen, setOpen] = useState(false);
  const change = useDeed(LISTS);
  const path = `${GROUPS}/${group.id}`;
  return (
    <>
      <tr>
        <td>{group.name}</td>
        <td>{group.roles.join(', ') || 'none'}</td>
        <td>
          <button
            type="button"
            className="plain"
            aria-expanded={isOpen}
            aria-label={`Members of ${group.name}: ${group.memberCount}`}
            onClick={() => setOpen(!isOpen)}
          >
            {group.memberCount}
          </button>
        </td>
        {mayChange ? (
          <td>
            <span className="actions">
              <ConfirmButton
                label="Delete"
                question={`Delete ${group.name}`}
                effect="Its memberships and grants go with it."
                disabled={change.isPending}
                onConfirm={() => change.run({ path, method: 'DELETE' })}
              />
            </span>
            <Problem error={change.error} />
          </td>
        ) : null}
      </tr>
      {isOpen ? (
        <tr>
          <td colSpan={4}>
            <Members group={group} mayChange={mayChange} />
          </td>
        </tr>
      ) : null}
    </>
  );
}

function Members({ group, mayChange }: { group: Group; mayChange: boolean }) {
  const path = `${GROUPS}/${group.id}`;
  const found = useQuery({ queryKey: ['group', group.id], queryFn: () => call<WholeGroup>(path) });
  const [roles, setRoles] = useState(group.roles);
  const [name, setName] = useState('');
  const change = useDeed(LISTS);
  // By name: the server takes ids, and there may be thousands of people.
  const add = useDeed(LISTS, () => setName(''));
  const people = useQuery({
    queryKey: ['/api/v1/users', 'first'],
    queryFn: () => call<Page<Person>>('/api/v1/users?limit=500'),
    enabled: mayChange,
  });
  const wanted = people.data?.items.find((person) => person.name === name);
  return (
    <Query of={found}>
      {({ members }) => (
        <>
          <ul>
            {members.map((member) => (
              <li key={member.id}>
                {member.name}{' '}
                {mayChange ? (
                  <button
                    type="button"
                    className="plain"
                    aria-label={`Take ${member.name} out of ${group.name}`}
                    disabled={change.isPending}
                    onClick={() => change.run({ path: `${path}/members/${member.id}`, method: 'DELETE' })}
                  >
                    take out
                  </button>
                ) : null}
              </li>
            ))}
          </ul>
          {members.length === 0 ? <p className="quiet">No members.</p> : null}
          {mayChange ? (
            <>
              <div className="filters">
                <label>
                  Add a member
                  <select value={name} onChange={(event) => setName(event.target.value)}>
                    <option value="">Choose a person</option>
                    {people.data?.items
                      .filter(({ id }) => !members.some((member) => member.id === id))
                      .map((person) => (
                        <option key={person.id}>{person.name}</option>
                      ))}
                  </select>
                </label>
                <button
                  type="button"
                  className="low"
                  disabled={wanted === undefined || add.isPending}
                  onClick={() => wanted && add.run({ path: `${path}/members/${wanted.id}`, method: 'PUT' })}
                >
                  Add
                </button>
              </div>
              <RoleBoxes roles={roles} onChange={setRoles} />
              <button
                type="button"
                disabled={change.isPending}
                onClick={() => change.run({ path, method: 'PATCH', body: { roles } })}
              >
                Set the roles of {group.name}
              </button>{' '}
              <span className="quiet">Other roles log its members out.</span>
            </>
          ) : null}
          <Problem error={change.error ?? add.error} />
        </>
      )}
    </Query>
  );
}

function NewGroup() {
  const [name, setName] = useState('');
  const [roles, setRoles] = useState<readonly string[]>([]);
  const make = useDeed(LISTS, () => {
    setName('');
    setRoles([]);
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.run({ path: GROUPS, method: 'POST', body: { name: name.trim(), roles } });
  };
  return (
    <details className="card">
      <summary>Add a group</summary>
      <form onSubmit={submit}>
        <Field label="Name of the group">
          <input value={name} required onChange={(event) => setName(event.target.value)} />
        </Field>
        <RoleBoxes roles={roles} onChange={setRoles} />
        <Problem error={make.error} />
        <button type="submit" className="primary" disabled={make.isPending}>
          Add the group
        </button>
      </form>
    </details>
  );
}
