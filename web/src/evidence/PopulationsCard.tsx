import { useState } from 'react';
import { lastWeeks } from './lastWeeks.js';

const KINDS = ['uploads', 'findings', 'reviews', 'decisions', 'exceptions', 'changes'] as const;

/** Every row of a time, as a file. */
export function PopulationsCard() {
  const [kind, setKind] = useState<string>('decisions');
  const [format, setFormat] = useState<string>('csv');
  const [times, setTimes] = useState(lastWeeks(13));
  const search = new URLSearchParams(times);
  return (
    <div className="card">
      <h2>Whole populations</h2>
      <p className="quiet">
        Every row of the time, of one moment, nothing left out. Each download is in the audit record.
      </p>
      <div className="filters">
        <label>
          Of
          <select value={kind} onChange={({ target }) => setKind(target.value)}>
            {KINDS.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label>
          As
          <select value={format} onChange={({ target }) => setFormat(target.value)}>
            <option value="csv">CSV</option>
            <option value="jsonl">JSON lines</option>
          </select>
        </label>
        <Times times={times} set={setTimes} />
      </div>
      <a className="button" href={`/api/v1/evidence/${kind}.${format}?${search.toString()}`} download>
        Download {kind}
      </a>
    </div>
  );
}

/** Two days; the second is where it ends. */
export function Times({
  times,
  set,
}: {
  times: { from: string; to: string };
  set: (times: { from: string; to: string }) => void;
}) {
  return (
    <>
      <label>
        From
        <input
          type="date"
          value={times.from}
          onChange={({ target }) => set({ ...times, from: target.value })}
        />
      </label>
      <label>
        Until, not with it
        <input type="date" value={times.to} onChange={({ target }) => set({ ...times, to: target.value })} />
      </label>
    </>
  );
}
