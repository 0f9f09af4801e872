import { useQuery } from '@tanstack/react-query';
import { call } from '../api.js';
import type { Group } from '../accounts.js';
import { Query } from '../parts/Query.js';
import { useIs } from '../parts/useSession.js';
import { Grants } from './Grants.js';
import { Groups } from './Groups.js';
import { People } from './People.js';

/** Who may come in, and what they may do. */
export function AccountsPage() {
  const mayLook = useIs('admin', 'auditor');
  const mayChange = useIs('admin');
  const groups = useQuery({
    queryKey: ['/api/v1/groups'],
    queryFn: () => call<{ readonly items: readonly Group[] }>('/api/v1/groups'),
    enabled: mayLook,
  });
  return (
    <section>
      <title>Accounts · Sallyport</title>
      <h1>Accounts</h1>
      {mayLook ? (
        <Query of={groups}>
          {({ items }) => (
            <>
              <People mayChange={mayChange} />
              <Groups groups={items} mayChange={mayChange} />
              <Grants groups={items} mayChange={mayChange} />
            </>
          )}
        </Query>
      ) : (
        <p className="quiet">An admin or auditor sees who may do what here.</p>
      )}
    </section>
  );
}
