import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api.js';
import { count, duration, visible } from '../format.js';
import type { QueueFigures as Figures, ReviewMetrics, Took } from '../reviews.js';

const FEW = 5;

/** The fullest queues that whoever looks sees. */
export const useQueueFigures = () =>
  useQuery({
    queryKey: ['/api/v1/reviews', 'metrics'],
    queryFn: () => call<ReviewMetrics>('/api/v1/reviews/metrics'),
    // Ages grow also while nothing happens.
    refetchInterval: 15_000,
  });

/** How the review queues stand, one line for each; nothing while there are none. */
export function QueueFigures() {
  const { data } = useQueueFigures();
  const [showsAll, setShowsAll] = useState(false);
  if (data === undefined || data.queues.length === 0) return null;
  const shown = showsAll ? data.queues : data.queues.slice(0, FEW);
  return (
    <>
      <table aria-label="Review queues">
        <thead>
          <tr>
            <th>Queue</th>
            <th className="number">Waiting</th>
            <th className="number">Nobody has it</th>
            <th className="number">Oldest</th>
            <th className="number">Overdue</th>
            <th className="number">Due soon</th>
            <th className="number" title="Opened and ended in the last 24 hours">
              In / out, 24 h
            </th>
            <th className="number" title="Half, and nine of ten, took no longer">
              Until claimed
            </th>
            <th className="number" title="Half, and nine of ten, took no longer">
              Until decided
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((one) => (
            <QueueLine key={one.queue} figures={one} at={Date.parse(data.at)} />
          ))}
        </tbody>
      </table>
      {data.queues.length > FEW ? (
        <p>
          <button type="button" className="plain" onClick={() => setShowsAll(!showsAll)}>
            {showsAll ? `Show the ${FEW} fullest queues` : `Show all ${data.queues.length} queues`}
          </button>
          {showsAll && data.isTruncated ? <span className="quiet"> There are more.</span> : null}
        </p>
      ) : null}
    </>
  );
}

function QueueLine({ figures, at }: { figures: Figures; at: number }) {
  const { decided, skipped, expired, cancelled, oldestAt } = figures;
  return (
    <tr>
      <td>{visible(figures.queue)}</td>
      <td className="number">{count(figures.waiting)}</td>
      <td className="number">{count(figures.unclaimed)}</td>
      <td className="number">{oldestAt === null ? '–' : duration(at - Date.parse(oldestAt))}</td>
      <td className="number">{warned(figures.breached, 'bad')}</td>
      <td className="number">{warned(figures.dueSoon, 'warn')}</td>
      <td className="number">
        {count(figures.arrived)} / {count(decided + skipped + expired + cancelled)}
      </td>
      <td className="number">{tookWords(figures.secondsToClaim)}</td>
      <td className="number">{tookWords(figures.secondsToDecide)}</td>
    </tr>
  );
}

const warned = (many: number, tone: 'bad' | 'warn') =>
  many === 0 ? '0' : <strong className={`state tone-${tone}`}>{count(many)}</strong>;

function tookWords({ p50, p90 }: Took) {
  if (p50 === null || p90 === null) return '–';
  return (
    <>
      {duration(p50 * 1000)}
      <div className="quiet">90 %: {duration(p90 * 1000)}</div>
    </>
  );
}
