import { useState, type FormEvent } from 'react';
import { when } from '../format.js';
import { ConfirmButton } from '../parts/ConfirmButton.js';
import { Field } from '../parts/Fields.js';
import { Problem } from '../parts/Problem.js';
import { useDeed } from '../parts/useDeed.js';
import { PROPOSALS, STATUS, type SlackSetting, type SlackStatus } from './status.js';

const SECRETS = [
  [
    'botToken',
    'Bot token',
    'Begins with xoxb-; the app shows it under OAuth & Permissions.',
    'Reviews are not shown in Slack any more.',
  ],
  [
    'appToken',
    'App token',
    'Begins with xapp-; for Socket Mode, which works behind a firewall.',
    'Nothing comes in by Socket Mode any more.',
  ],
  [
    'signingSecret',
    'Signing secret',
    'For signed requests over HTTP in place of Socket Mode.',
    'What Slack posts here is refused.',
  ],
] as const;
type Secret = (typeof SECRETS)[number][0];

const EMPTY: Readonly<Record<Secret, string>> = { botToken: '', appToken: '', signingSecret: '' };

/** What opens the way into Slack. It goes in and never comes out again. */
export function Tokens({ settings, mayChange }: { settings: SlackStatus['settings']; mayChange: boolean }) {
  const [draft, setDraft] = useState(EMPTY);
  const save = useDeed([STATUS, PROPOSALS], () => setDraft(EMPTY));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const body = Object.fromEntries(Object.entries(draft).filter(([, value]) => value.trim() !== ''));
    save.run({ path: STATUS, method: 'PUT', body });
  };
  const isEmpty = Object.values(draft).every((value) => value.trim() === '');
  return (
    <section className="card" aria-labelledby="slack-tokens">
      <h2 id="slack-tokens">Tokens</h2>
      <p className="quiet">
        They are kept sealed and cannot be read back. Every node takes them over within seconds.
        {mayChange ? null : ' Only an admin sets them: they open the way to decide for others.'}
      </p>
      <form className="more" onSubmit={submit} autoComplete="off">
        {SECRETS.map(([name, label, hint, removal]) => (
          <div key={name}>
            <h3>{label}</h3>
            <p>
              <SettingFacts setting={settings[name]} />{' '}
              {mayChange && settings[name].from === 'stored' ? (
                <ConfirmButton
                  label={`Remove the ${label.toLowerCase()}`}
                  question="Really remove"
                  effect={removal}
                  disabled={save.isPending}
                  onConfirm={() => save.run({ path: STATUS, method: 'PUT', body: { [name]: null } })}
                />
              ) : null}
            </p>
            {mayChange && settings[name].from !== 'environment' ? (
              <Field label={settings[name].isSet ? `Another ${label.toLowerCase()}` : label} hint={hint}>
                <input
                  type="password"
                  value={draft[name]}
                  autoComplete="off"
                  spellCheck={false}
                  onChange={(event) => setDraft({ ...draft, [name]: event.target.value })}
                />
              </Field>
            ) : null}
          </div>
        ))}
        <Problem error={save.error} />
        {mayChange ? (
          <div className="row">
            <button type="submit" className="primary" disabled={save.isPending || isEmpty}>
              Store the tokens
            </button>
            <span className="quiet" role="status">
              {save.isPending ? 'Asking Slack…' : null}
            </span>
          </div>
        ) : null}
      </form>
    </section>
  );
}

function SettingFacts({ setting }: { setting: SlackSetting }) {
  const { isSet, from, variable, hint, setBy, setAt, problem } = setting;
  if (problem !== null) return <span className="problem">{problem}</span>;
  if (!isSet) return <span className="quiet">Not set.</span>;
  if (from === 'environment')
    return (
      <>
        Set by the environment (<span className="mono">{variable}</span>), where it is changed.
      </>
    );
  return (
    <>
      {hint === null ? 'Set' : <span className="mono">…{hint}</span>}{' '}
      <span className="quiet">
        by {setBy}, {when(setAt)}
      </span>
    </>
  );
}
