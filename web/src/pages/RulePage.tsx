import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router-dom';
import { call } from '../api.js';
import { visible, when } from '../format.js';
import { ConfirmButton } from '../parts/ConfirmButton.js';
import { Held } from '../parts/Held.js';
import { Problem } from '../parts/Problem.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';
import { useMay } from '../parts/useSession.js';
import { rulePath, type Rule } from '../triggers.js';
import { bodyOf, draftOf, RuleFields } from './RuleFields.js';

/** Makes a rule. */
export function NewRulePage() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [draft, setDraft] = useState(() => draftOf(undefined));
  const create = useMutation({
    mutationFn: async () =>
      call<Rule>('/api/v1/triggers', {
        method: 'POST',
        body: { name: draft.name.trim(), ...bodyOf(draft) },
      }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['triggers'] });
      await navigate('/triggers');
    },
  });
  return (
    <section>
      <title>Add a rule · Sallyport</title>
      <h1>Add a rule</h1>
      <form
        className="card form"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <RuleFields draft={draft} set={setDraft} isNew />
        <Problem error={create.error} />
        <div className="row">
          <button type="submit" className="primary" disabled={create.isPending}>
            Add it
          </button>
        </div>
      </form>
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
  const client = useQueryClient();
  const navigate = useNavigate();
  const mayChange = useMay('engineer') && rule.origin !== 'file';
  const [draft, setDraft] = useState(() => draftOf(rule));
  const path = `/api/v1${rulePath(rule.name)}`;
  const queryKey = ['trigger', rule.name];
  const look = () => client.invalidateQueries({ queryKey });
  const change = useMutation({
    mutationFn: async () =>
      call<Rule>(path, { method: 'PUT', body: { ...bodyOf(draft), ruleVersion: rule.ruleVersion } }),
    onSuccess: async (changed) => {
      client.setQueryData(queryKey, changed);
      onChanged(changed);
      await client.invalidateQueries({ queryKey: ['triggers'] });
    },
    onError: look,
  });
  const remove = useMutation({
    mutationFn: () => call(`${path}?version=${rule.ruleVersion}`, { method: 'DELETE' }),
    onSuccess: async () => {
      // The list as it was still has it.
      client.removeQueries({ queryKey: ['triggers'] });
      await navigate('/triggers');
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
        Version {rule.ruleVersion}, changed {when(rule.updatedAt)} by {rule.updatedBy}.{' '}
        {rule.origin === 'file' ? 'The file in TRIGGERS_FILE keeps it; change it there.' : null}
      </p>
      <fieldset className="plain" disabled={!mayChange}>
        <RuleFields draft={draft} set={setDraft} isNew={false} />
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
            effect="The other rules decide of uploads from now on."
            disabled={remove.isPending}
            onConfirm={() => remove.mutate()}
          />
        </div>
      ) : null}
    </form>
  );
}
