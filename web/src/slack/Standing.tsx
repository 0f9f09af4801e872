import { visible, when } from '../format.js';
import { State } from '../parts/State.js';
import type { SlackStatus } from './status.js';

const WAYS = { socket: 'Socket Mode', http: 'signed requests over HTTP' } as const;

/** What is connected, and what is missing with what mends it. */
export function Standing({ of: status }: { of: SlackStatus }) {
  const { missing } = status;
  const isBroken = missing.some(({ isNeeded }) => isNeeded);
  const isUsed = Object.values(status.settings).some(({ from }) => from !== null);
  const worst = !isUsed ? 'unused' : isBroken ? 'fail' : missing.length > 0 ? 'warn' : 'ok';
  return (
    <section className="card" aria-labelledby="slack-standing">
      <h2 id="slack-standing">How it is</h2>
      <p role="status">
        <State of={worst} /> {sentenceOf(status, isBroken)}
      </p>
      <dl>
        {status.team === null ? null : (
          <>
            <dt>Workspace</dt>
            <dd>
              {visible(status.team.name ?? '')} <span className="quiet">{status.team.id}</span>
            </dd>
          </>
        )}
        {status.appId === null ? null : (
          <>
            <dt>App</dt>
            <dd>{status.appId}</dd>
          </>
        )}
        {status.transport === null ? null : (
          <>
            <dt>Answers come by</dt>
            <dd>{WAYS[status.transport]}</dd>
          </>
        )}
        {status.connected === null ? null : (
          <>
            <dt>Connection</dt>
            <dd>
              <State of={status.connected ? 'connected' : 'unconnected'} />{' '}
              <span className="quiet">
                {status.connected
                  ? `Slack last greeted it ${when(status.lastHelloAt)}`
                  : visible(status.lastError ?? '')}
              </span>
            </dd>
          </>
        )}
        <dt>Digests</dt>
        <dd>{digestsOf(status.digests)}</dd>
        <dt>Linked people</dt>
        <dd>
          {status.people.bound} of {status.people.deciders} who may decide
        </dd>
      </dl>
      {missing.length === 0 ? null : <Missing of={missing} />}
      <Scopes of={status.scopes} />
    </section>
  );
}

function sentenceOf({ isOn, missing }: SlackStatus, isBroken: boolean): string {
  if (missing.length === 0) return 'Reviews are shown and answered in Slack. Nothing is missing.';
  if (!isOn) return 'Reviews are not shown in Slack.';
  return isBroken ? 'Something does not work.' : 'Reviews are shown and answered in Slack.';
}

function digestsOf({ daily, weekly, timeZone }: SlackStatus['digests']): string {
  const times = [daily, weekly].filter((time) => time !== null);
  return times.length === 0 ? 'off' : `${times.join(' and ')} (${timeZone})`;
}

function Missing({ of: missing }: { of: SlackStatus['missing'] }) {
  return (
    <table>
      <caption className="unseen">What is missing</caption>
      <thead>
        <tr>
          <th scope="col">State</th>
          <th scope="col">Missing</th>
        </tr>
      </thead>
      <tbody>
        {missing.map(({ what, remedy, isNeeded }) => (
          <tr key={what}>
            <td className="word">
              <State of={isNeeded ? 'absent' : 'warn'} />
            </td>
            <td>
              {visible(what)}
              <div>
                <strong>To mend it:</strong> {visible(remedy)}
              </div>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Scopes({ of: scopes }: { of: SlackStatus['scopes'] }) {
  if (scopes.every(({ isGranted }) => isGranted === null)) return null;
  const counted = (isOptional: boolean): string => {
    const those = scopes.filter((scope) => scope.isOptional === isOptional);
    return `${those.filter(({ isGranted }) => isGranted === true).length} of ${those.length}`;
  };
  return (
    <details>
      <summary>
        Scopes: {counted(false)} that are needed, {counted(true)} optional ones
      </summary>
      <table>
        <thead>
          <tr>
            <th scope="col">Scope</th>
            <th scope="col">State</th>
            <th scope="col">Without it</th>
          </tr>
        </thead>
        <tbody>
          {scopes.map(({ scope, isGranted, isOptional, without }) => (
            <tr key={scope}>
              <td className="mono">{scope}</td>
              <td className="word">
                <State of={isGranted === true ? 'granted' : isOptional ? 'optional' : 'lacking'} />
              </td>
              <td>{without}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
