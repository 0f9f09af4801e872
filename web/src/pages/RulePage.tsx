import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useParams } from 'react-router-dom';
import { call } from '../api.js';
import { visible } from '../format.js';
import { ChangeForm, NewForm } from '../parts/EditForm.js';
import { Held } from '../parts/Held.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';
import { useChange, useCreate } from '../parts/useChange.js';
import { useMay } from '../parts/useSession.js';
import { rulePath, type Rule } from '../triggers.js';
import { bodyOf, draftOf, RuleFields } from './RuleFields.js';

/** Makes a rule. */
export function NewRulePage() {
  const [draft, setDraft] = useState(() => draftOf(undefined));
  const making = useCreate<Rule>({
    make: () =>
      call('/api/v1/triggers', { method: 'POST', body: { name: draft.name.trim(), ...bodyOf(draft) } }),
    list: ['triggers'],
    home: () => '/triggers',
  });
  return (
    <section>
      <title>Add a rule · Sallyport</title>
      <h1>Add a rule</h1>
      <NewForm making={making}>
        <RuleFields draft={draft} set={setDraft} isNew />
      </NewForm>
    </section>
  );
}

/** One rule. */
export function RulePage() {
  const { name = '' } = useParams();
  const found = useQuery({
    queryKey: ['trigger', name],
    // A form begins with what stands now, not with what was seen before.
    gcTime: 0,
    queryFn: () => call<Rule>(`/api/v1${rulePath(name)}`),
  });
  return (
    <section>
      <title>{`${name} · Sallyport`}</title>
      <Query of={found}>
        {(rule) => (
          <>
            <div className="heading">
              <h1>{rule.name}</h1>
              <State of={rule.enabled ? 'ENABLED' : 'DISABLED'} />
            </div>
            {rule.problems.map((problem) => (
              <p key={problem} className="problem">
                {visible(problem)}
              </p>
            ))}
            <Held latest={rule} versionOf={({ ruleVersion }) => ruleVersion}>
              {(held, renew) => <ChangeRule rule={held} onChanged={renew} />}
            </Held>
          </>
        )}
      </Query>
    </section>
  );
}

function ChangeRule({ rule, onChanged }: { rule: Rule; onChanged: (rule: Rule) => void }) {
  const mayChange = useMay('author') && rule.origin !== 'file';
  const [draft, setDraft] = useState(() => draftOf(rule));
  const { ruleVersion } = rule;
  const edit = useChange<Rule>({
    path: `/api/v1${rulePath(rule.name)}`,
    method: 'PUT',
    version: ruleVersion,
    body: () => ({ ...bodyOf(draft), ruleVersion }),
    queryKey: ['trigger', rule.name],
    lists: [['triggers']],
    home: '/triggers',
    onChanged,
  });
  return (
    <ChangeForm
      edit={edit}
      version={ruleVersion}
      last={rule}
      note={rule.origin === 'file' ? 'The file in TRIGGERS_FILE keeps it; change it there.' : null}
      mayChange={mayChange}
      removal="The other rules decide of uploads from now on."
    >
      <RuleFields draft={draft} set={setDraft} isNew={false} />
    </ChangeForm>
  );
}
