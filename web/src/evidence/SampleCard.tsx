import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { call } from '../api.js';
import { visible, when } from '../format.js';
import { lastWeeks } from './lastWeeks.js';
import { Times } from './PopulationsCard.js';

interface Sample {
  readonly seed: string;
  readonly population: number;
  readonly items: readonly {
    readonly reviewId: string;
    readonly decidedAt: string;
    readonly outcome: string;
    readonly queue: string;
  }[];
}

/** Decisions drawn by a seed, which anybody draws again. */
export function SampleCard() {
  const [times, setTimes] = useState(lastWeeks(13));
  const [seed, setSeed] = useState('');
  const draw = useMutation({
    mutationFn: () => {
      const search = new URLSearchParams({ ...times, ...(seed === '' ? {} : { seed }) });
      return call<Sample>(`/api/v1/evidence/decisions/sample?${search.toString()}`);
    },
  });
  return (
    <div className="card">
      <h2>A sample of decisions</h2>
      <p className="quiet">The same seed draws the same decisions, here and from decisions.csv.</p>
      <div className="filters">
        <Times times={times} set={setTimes} />
        <label>
          Seed
          <input
            value={seed}
            placeholder="made and told when empty"
            onChange={({ target }) => setSeed(target.value)}
          />
        </label>
      </div>
      <button type="button" disabled={draw.isPending} onClick={() => draw.mutate()}>
        Draw
      </button>
      {draw.error === null ? null : <p className="problem">{draw.error.message}</p>}
      {draw.data === undefined ? null : <Drawn sample={draw.data} />}
    </div>
  );
}

function Drawn({ sample: { seed, population, items } }: { sample: Sample }) {
  return (
    <>
      <p role="status">
        {items.length} of {population} by the seed <code>{visible(seed)}</code>
      </p>
      <table>
        <thead>
          <tr>
            <th>Review</th>
            <th>Outcome</th>
            <th>Queue</th>
            <th>Decided</th>
          </tr>
        </thead>
        <tbody>
          {items.map(({ reviewId, decidedAt, outcome, queue }) => (
            <tr key={reviewId}>
              <td>
                <Link to={`/reviews/${reviewId}`}>{reviewId.slice(0, 8)}</Link>
              </td>
              <td>{outcome}</td>
              <td>{queue}</td>
              <td>{when(decidedAt)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
