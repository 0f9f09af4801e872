import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router-dom';
import { call, type Page } from '../api.js';
import { size, visible } from '../format.js';
import { Problem } from '../parts/Problem.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';
import { useMay } from '../parts/useSession.js';
import { EVENT_KINDS, rulePath, type Rule } from '../triggers.js';

/** The rules in the order in which they are asked. */
export function Rules() {
  const client = useQueryClient();
  const mayChange = useMay('author', 'operator');
  const rules = useQuery({
    queryKey: ['triggers'],
    queryFn: () => call<Page<Rule>>('/api/v1/triggers'),
    refetchInterval: 10_000,
  });
  const turn = useMutation({
    mutationFn: ({ name, enabled }: Rule) =>
      call(`/api/v1${rulePath(name)}/${enabled ? 'disable' : 'enable'}`, { method: 'POST', body: {} }),
    onSettled: () => client.invalidateQueries({ queryKey: ['triggers'] }),
  });
  return (
    <Query of={rules}>
      {({ items }) => (
        <>
          <Problem error={turn.error} />
          <table>
            <thead>
              <tr>
                <th scope="col" className="number">
                  Position
                </th>
                <th scope="col">Rule</th>
                <th scope="col">Uploads</th>
                <th scope="col">What becomes of them</th>
                <th scope="col">State</th>
                {mayChange ? <th scope="col">Change</th> : null}
              </tr>
            </thead>
            <tbody>
              {items.map((rule) => (
                <tr key={rule.name}>
                  <td className="number">{rule.effect === 'deny' ? 'first' : rule.position}</td>
                  <td>
                    <Link to={rulePath(rule.name)}>{rule.name}</Link>
                    <div className="quiet">{visible(rule.description ?? '')}</div>
                  </td>
                  <td>{conditionsOf(rule)}</td>
                  <td>
                    {rule.effect === 'deny' ? 'are skipped' : startsOf(rule)}
                    {rule.problems.map((problem) => (
                      <div key={problem} className="problem">
                        {visible(problem)}
                      </div>
                    ))}
                  </td>
                  <td>
                    <State of={rule.enabled ? 'ENABLED' : 'DISABLED'} />
                    {rule.origin === 'api' ? null : (
                      <div className="quiet">{rule.origin === 'file' ? 'kept by the file' : 'shipped'}</div>
                    )}
                  </td>
                  {mayChange ? (
                    <td>
                      {rule.origin === 'file' ? null : (
                        <button
                          type="button"
                          className="plain"
                          disabled={turn.isPending}
                          aria-label={`${rule.enabled ? 'Switch off' : 'Switch on'} ${rule.name}`}
                          onClick={() => turn.mutate(rule)}
                        >
                          {rule.enabled ? 'Switch off' : 'Switch on'}
                        </button>
                      )}
                    </td>
                  ) : null}
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </Query>
  );
}

/** What a rule asks for, in words. */
function conditionsOf(rule: Rule): string {
  const { minSizeBytes: min, maxSizeBytes: max, tags } = rule;
  const parts = [
    rule.bucket === undefined ? undefined : `in ${rule.bucket}`,
    rule.prefix === undefined ? undefined : `beginning with ${rule.prefix}`,
    rule.suffix === undefined ? undefined : `ending in ${rule.suffix}`,
    min === undefined ? undefined : `at least ${size(min)}`,
    max === undefined ? undefined : `at most ${size(max)}`,
    rule.contentTypes?.join(' or '),
    tags === undefined
      ? undefined
      : `tagged ${Object.entries(tags)
          .map(([name, value]) => `${name}=${value}`)
          .join(' and ')}`,
    EVENT_KINDS.every((kind) => rule.eventKinds.includes(kind)) ? undefined : rule.eventKinds.join(' or '),
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? 'all' : visible(parts.join(', '));
}

function startsOf({ workflow, version, shares, priority }: Rule): string {
  const newest = `start ${workflow ?? '–'}${version === undefined ? '' : ` v${version}`}`;
  const others = (shares ?? []).map(
    (share) =>
      `${share.percent} % ${share.workflow}${share.version === undefined ? '' : ` v${share.version}`}`,
  );
  return [newest, ...others, `priority ${priority}`].join(', ');
}
