import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api.js';
import { count, visible } from '../format.js';
import { Field } from '../parts/Fields.js';
import { NameLink } from '../parts/NameLink.js';
import { Problem } from '../parts/Problem.js';
import { endOfDay, KINDS, SCOPES, type Exception, type Preview } from './exceptions.js';

type Scope = Exception['scope'];

/** A request that somebody else must agree to. What it would answer for is looked at first. */
export function AskException({ finding, onAsked }: { finding: string; onAsked: () => void }) {
  const [scope, setScope] = useState<Scope>(finding === '' ? 'rule' : 'finding');
  const [kind, setKind] = useState<Exception['kind']>('accepted_risk');
  const [findingId, setFindingId] = useState(finding);
  const [rule, setRule] = useState({ ruleId: '', bucket: '', keyPrefix: '', findingKind: 'secret' });
  const [reason, setReason] = useState('');
  const [until, setUntil] = useState('');
  const client = useQueryClient();
  const target = { scope, ...(findingId.trim() !== '' && { findingId: findingId.trim() }), ...ruleOf() };
  function ruleOf(): object {
    if (scope !== 'rule') return {};
    const given = Object.entries(rule).filter(([name, value]) => value !== '' && name !== 'findingKind');
    return {
      ...Object.fromEntries(given),
      ...(findingId.trim() === '' && { findingKind: rule.findingKind }),
    };
  }
  const preview = useMutation({
    mutationFn: async () => ({
      of: JSON.stringify(target),
      ...(await call<Preview>('/api/v1/exceptions/preview', { method: 'POST', body: target })),
    }),
  });
  const ask = useMutation({
    mutationFn: async () =>
      call<Exception>('/api/v1/exceptions', {
        method: 'POST',
        body: { ...target, kind, reason, expiresAt: endOfDay(until) },
      }),
    onSuccess: onAsked,
    onSettled: () => client.invalidateQueries({ queryKey: ['/api/v1/exceptions'] }),
  });
  // What was looked at is what is asked for.
  const seen = preview.data?.of === JSON.stringify(target) ? preview.data : undefined;
  const setPart = (name: keyof typeof rule, value: string): void => setRule({ ...rule, [name]: value });
  return (
    <form
      className="card form"
      aria-label="New exception"
      onSubmit={(event) => {
        event.preventDefault();
        if (seen === undefined) preview.mutate();
        else ask.mutate();
      }}
    >
      <h2>Ask for an exception</h2>
      <div className="cols">
        <Field label="For">
          <select value={scope} onChange={({ target: { value } }) => setScope(value as Scope)}>
            {Object.entries(SCOPES).map(([name, words]) => (
              <option key={name} value={name}>
                {words}
              </option>
            ))}
          </select>
        </Field>
        <Field label="As">
          <select value={kind} onChange={({ target: { value } }) => setKind(value as Exception['kind'])}>
            {Object.entries(KINDS).map(([name, words]) => (
              <option key={name} value={name}>
                {words}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Finding" hint="Its number. An object’s page leads here from each of its findings.">
          <input
            value={findingId}
            inputMode="numeric"
            required={scope !== 'rule'}
            onChange={({ target: { value } }) => setFindingId(value)}
          />
        </Field>
      </div>
      {scope === 'rule' ? (
        <div className="cols">
          <Field label="Rule" hint="That of the finding, when empty.">
            <input value={rule.ruleId} onChange={({ target: { value } }) => setPart('ruleId', value)} />
          </Field>
          <Field label="Which finds">
            <select
              value={rule.findingKind}
              disabled={findingId.trim() !== ''}
              onChange={({ target: { value } }) => setPart('findingKind', value)}
            >
              <option value="secret">secrets</option>
              <option value="malware">malware</option>
            </select>
          </Field>
          <Field label="In the bucket" hint="That of the finding, when empty.">
            <input value={rule.bucket} onChange={({ target: { value } }) => setPart('bucket', value)} />
          </Field>
          <Field label="Keys that begin with" hint="All, when empty.">
            <input value={rule.keyPrefix} onChange={({ target: { value } }) => setPart('keyPrefix', value)} />
          </Field>
        </div>
      ) : null}
      <div className="cols">
        <Field label="Reason">
          <textarea
            rows={2}
            maxLength={1000}
            required
            value={reason}
            onChange={({ target: { value } }) => setReason(value)}
          />
        </Field>
        <Field label="Until" hint="The last day. Whoever asked and whoever agreed hear of it ahead.">
          <input type="date" required value={until} onChange={({ target: { value } }) => setUntil(value)} />
        </Field>
      </div>
      <Problem error={preview.error ?? ask.error} />
      {seen === undefined ? null : <Covered preview={seen} />}
      <div className="row">
        <button type="submit" className="primary" disabled={preview.isPending || ask.isPending}>
          {seen === undefined ? 'See what it answers for' : 'Ask for it'}
        </button>
        <span className="quiet">
          {seen === undefined
            ? 'Nothing is asked for before you have seen that.'
            : 'Somebody else must agree; it counts from the next scan on.'}
        </span>
      </div>
    </form>
  );
}

function Covered({ preview }: { preview: Preview }) {
  return (
    <div role="status">
      <p>
        It would answer for {preview.isCut ? 'more than ' : ''}
        <strong>{count(preview.findings)}</strong> {preview.findings === 1 ? 'finding' : 'findings'} in{' '}
        {count(preview.objects)} {preview.objects === 1 ? 'object' : 'objects'} known now
        {preview.sample.length < preview.findings ? '; the worst of them' : ''}
        {preview.sample.length === 0 ? '.' : ':'}
      </p>
      <ul>
        {preview.sample.map((one) => (
          <li key={one.id}>
            {one.severity}: <span className="mono">{visible(one.ruleId)}</span> in{' '}
            <NameLink
              to={`/objects/${one.objectId}`}
              name={visible(`${one.bucket}/${one.key}${one.path === '' ? '' : `!${one.path}`}`)}
            />
            {one.accepted ? <span className="quiet"> (answered for already)</span> : null}
          </li>
        ))}
      </ul>
    </div>
  );
}
