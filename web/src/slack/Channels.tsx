import { useMutation } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { call } from '../api.js';
import { duration, visible, when } from '../format.js';
import { ConfirmButton } from '../parts/ConfirmButton.js';
import { Field } from '../parts/Fields.js';
import { Problem } from '../parts/Problem.js';
import { State } from '../parts/State.js';
import { useDeed } from '../parts/useDeed.js';
import { ChannelPicker } from './ChannelPicker.js';
import { channelName, STATUS, type Probe, type SlackStatus, type UsedChannel } from './status.js';

const routePath = (queue: string): string => `${STATUS}/channels/${encodeURIComponent(queue)}`;

/** Where reviews are posted: each queue to a channel of its own, or to the default one. */
export function Channels({ status, mayChange }: { status: SlackStatus; mayChange: boolean }) {
  const { channels, settings } = status;
  const hasToken = settings.botToken.isSet;
  return (
    <section aria-labelledby="slack-channels">
      <h2 id="slack-channels">Channels</h2>
      {channels.length === 0 ? (
        <p className="quiet">No channel yet: reviews are told by mail and in the web inbox.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Channel</th>
              <th scope="col">Reviews of</th>
              <th scope="col">State</th>
              {mayChange ? <th scope="col">Try</th> : null}
            </tr>
          </thead>
          <tbody>
            {channels.map((channel) => (
              <ChannelRow key={channel.id} channel={channel} mayChange={mayChange} />
            ))}
          </tbody>
        </table>
      )}
      {mayChange && hasToken ? <SetChannel isFixed={settings.channel.from === 'environment'} /> : null}
    </section>
  );
}

function ChannelRow({ channel, mayChange }: { channel: UsedChannel; mayChange: boolean }) {
  const name = visible(channelName(channel));
  const change = useDeed([STATUS]);
  const probe = useMutation({
    mutationFn: () =>
      call<Probe>(`${STATUS}/probe`, { method: 'POST', body: { channel: channel.id, keep: false } }),
  });
  return (
    <tr>
      <td>
        {name}
        <div className="quiet">
          {channel.id}
          {channel.isPrivate === true ? ', private' : ''}
        </div>
      </td>
      <td>
        <ul className="plain">
          {channel.isDefault ? <li>every queue without a channel of its own</li> : null}
          {channel.queues.map((queue) => (
            <li key={queue}>
              {visible(queue)}{' '}
              {mayChange ? (
                <ConfirmButton
                  label={`Take ${visible(queue)} away`}
                  question={`Really take ${visible(queue)} away`}
                  effect="Its reviews go to the default channel."
                  disabled={change.isPending}
                  onConfirm={() => change.run({ path: routePath(queue), method: 'DELETE' })}
                />
              ) : null}
            </li>
          ))}
        </ul>
        <Problem error={change.error} />
      </td>
      <td>
        {channel.trouble === null ? (
          <State of={channel.isLookedAt ? 'slack_works' : 'slack_unseen'} />
        ) : (
          <>
            <State of="fail" />
            <div>
              The channel {visible(channel.trouble.fact)}
              {channel.trouble.since == null ? '' : ` since ${when(channel.trouble.since)}`}.
            </div>
            <div>
              <strong>To mend it:</strong> {visible(channel.trouble.remedy)}
            </div>
          </>
        )}
      </td>
      {mayChange ? (
        <td>
          <button
            type="button"
            aria-label={`Send a test to ${name}`}
            disabled={probe.isPending}
            onClick={() => probe.mutate()}
          >
            Send a test
          </button>
          <div role="status">
            <Problem error={probe.error} />
            {probe.data === undefined ? null : <ProbeOutcome probe={probe.data} />}
          </div>
        </td>
      ) : null}
    </tr>
  );
}

function ProbeOutcome({ probe }: { probe: Probe }) {
  if (probe.posted)
    return (
      <>
        <State of="slack_posted" />{' '}
        <span className="quiet">
          {probe.removed ? 'and taken away' : 'and stays there'}, {duration(probe.durationMs)}
        </span>
      </>
    );
  return (
    <>
      <State of="fail" /> {visible(probe.reason ?? '')}
      <div>
        <strong>To mend it:</strong> {visible(probe.remedy ?? '')}
      </div>
    </>
  );
}

function SetChannel({ isFixed }: { isFixed: boolean }) {
  const [queue, setQueue] = useState('');
  const [channel, setChannel] = useState('');
  const [warning, setWarning] = useState<string | null>(null);
  const set = useDeed([STATUS], (answer) => {
    // Of the default channel, the answer is the status, which warns of nothing here.
    setWarning((answer as { readonly warning?: string | null }).warning ?? null);
    setQueue('');
    setChannel('');
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const path = queue.trim() === '' ? STATUS : routePath(queue.trim());
    set.run({ path, method: 'PUT', body: { channel } });
  };
  return (
    <details className="card">
      <summary>Set a channel</summary>
      <form className="more" onSubmit={submit}>
        <ChannelPicker value={channel} onChange={setChannel} />
        <Field
          label="Review queue"
          hint={
            isFixed
              ? 'The default channel comes from the environment (SLACK_CHANNEL), so a queue is needed.'
              : 'Empty: the default channel, for every queue without one of its own.'
          }
        >
          <input
            value={queue}
            required={isFixed}
            spellCheck={false}
            autoCapitalize="none"
            onChange={(event) => setQueue(event.target.value)}
          />
        </Field>
        <Problem error={set.error} />
        <p role="status">{warning === null ? null : visible(warning)}</p>
        <div className="row">
          <button type="submit" className="primary" disabled={set.isPending || channel === ''}>
            {queue.trim() === '' ? 'Set the default channel' : `Set the channel of ${queue.trim()}`}
          </button>
        </div>
      </form>
    </details>
  );
}
