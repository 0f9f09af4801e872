import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useSearchParams } from 'react-router-dom';
import { call } from '../api.js';
import { duration, visible, when } from '../format.js';
import { Places } from '../finding/Places.js';
import type { Remedy, RemedyFigures } from '../finding/exceptions.js';
import { Query } from '../parts/Query.js';
import { ShowMore } from '../parts/ShowMore.js';
import { State } from '../parts/State.js';
import { usePages } from '../parts/usePages.js';

const LISTS = { OPEN: 'Open', REMEDIED: 'Remedied', RETURNED: 'Came back' } as const;
const DAYS = 90;

/** Findings that are real: who remedies them, until when, and how long that takes. */
export function RemediesPage() {
  const [search, setSearch] = useSearchParams();
  const asked = search.get('state') ?? '';
  const state = asked === 'REMEDIED' || asked === 'RETURNED' ? asked : 'OPEN';
  return (
    <section>
      <title>Remedies · Sallyport</title>
      <div className="heading">
        <h1>Remedies</h1>
        <Places />
      </div>
      <p className="quiet">
        Findings that somebody called real, each followed until a proof says that it is remedied.
      </p>
      <Figures />
      <div className="filters">
        <label>
          Which
          <select value={state} onChange={({ target }) => setSearch({ state: target.value })}>
            {Object.entries(LISTS).map(([key, name]) => (
              <option key={key} value={key}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      {state === 'OPEN' ? (
        <>
          <Remedies title="Overdue" parameters={{ state, overdue: 'true' }} isOverdue none="" />
          <Remedies title="Open" parameters={{ state }} none="No other finding waits to be remedied." />
        </>
      ) : (
        <Remedies title={LISTS[state]} parameters={{ state }} none="None." />
      )}
    </section>
  );
}

function Remedies({
  title,
  parameters,
  none,
  isOverdue = false,
}: {
  title: string;
  parameters: Readonly<Record<string, string>>;
  none: string;
  isOverdue?: boolean;
}) {
  const {
    items: all,
    error,
    hasNextPage,
    fetchNextPage,
    isFetchingNextPage,
  } = usePages<Remedy>('/api/v1/remedies', { ...parameters, limit: '50' });
  // Overdue ones have a list of their own before the others.
  const items = parameters['state'] === 'OPEN' && !isOverdue ? all?.filter(isInTime) : all;
  if (error !== null) return <p className="problem">{error.message}</p>;
  if (items === undefined) return null;
  if (items.length === 0) return none === '' ? null : <p className="card quiet">{none}</p>;
  return (
    <>
      <h2>{title}</h2>
      <table aria-label={title}>
        <thead>
          <tr>
            <th>Finding</th>
            <th>State</th>
            <th>Owner</th>
            <th>Due</th>
            <th>Proof</th>
          </tr>
        </thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.id}>
              <td>
                <Link to={`/executions/${one.workflowId}`}>{visible(one.findingTitle)}</Link>
                <div className="quiet mono">
                  {visible(`${one.bucket}/${one.key}${one.path === '' ? '' : `!${one.path}`}`)}
                </div>
              </td>
              <td className="word">
                <State of={isOverdue ? 'OVERDUE' : one.state} />
              </td>
              <td>{one.owner.length === 0 ? 'whoever may decide' : visible(one.owner.join(', '))}</td>
              <td className="when">
                {when(one.dueAt)} <div className="quiet">since {when(one.openedAt)}</div>
              </td>
              <td>
                <Proof of={one} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <ShowMore hasMore={hasNextPage} isLoading={isFetchingNextPage} onMore={() => void fetchNextPage()} />
    </>
  );
}

function Proof({ of: remedy }: { of: Remedy }) {
  if (remedy.proof === null)
    return <>{remedy.refused === null ? '–' : `refused: ${visible(remedy.refused)}`}</>;
  return (
    <>
      {remedy.proof}
      <div className="quiet">
        {remedy.remediedBy === null ? '' : `${visible(remedy.remediedBy)}, `}
        {when(remedy.remediedAt)}
        {remedy.proofNote === null || remedy.proofNote === '' ? '' : `: ${visible(remedy.proofNote)}`}
        {remedy.returnedAt === null ? '' : `; found again ${when(remedy.returnedAt)}`}
      </div>
    </>
  );
}

/** How long it takes, by owner. */
function Figures() {
  const [to] = useState(() => Date.now());
  const period = new URLSearchParams({
    from: new Date(to - DAYS * 86_400_000).toISOString(),
    to: new Date(to).toISOString(),
  });
  const figures = useQuery({
    queryKey: ['remedy-figures', to],
    queryFn: () => call<RemedyFigures>(`/api/v1/remedies/figures?${period.toString()}`),
    refetchInterval: 60_000,
  });
  return (
    <Query of={figures}>
      {({ owners }) =>
        owners.length === 0 ? null : (
          <table aria-label="Time to remedy">
            <thead>
              <tr>
                <th>Owner</th>
                <th className="number">Open</th>
                <th className="number">Overdue</th>
                <th className="number">Remedied in {DAYS} days</th>
                <th className="number">Came back</th>
                <th className="number">Half took at most</th>
                <th className="number">Nine of ten at most</th>
              </tr>
            </thead>
            <tbody>
              {owners.map((one) => (
                <tr key={one.owner}>
                  <td>{one.owner === '' ? 'whoever may decide' : visible(one.owner)}</td>
                  <td className="number">{one.open}</td>
                  <td className="number">{one.overdue}</td>
                  <td className="number">{one.remedied}</td>
                  <td className="number">{one.returned}</td>
                  <td className="number">{took(one.p50Seconds)}</td>
                  <td className="number">{took(one.p90Seconds)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )
      }
    </Query>
  );
}

const isInTime = ({ dueAt }: Remedy): boolean => Date.parse(dueAt) > Date.now();

const took = (seconds: number | null): string => duration(seconds === null ? undefined : seconds * 1000);
