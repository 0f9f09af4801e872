import { count } from '../format.js';

/** How much of something is done, as a bar and in words; without a total, only in words. */
export function ProgressBar({
  done,
  total,
  unit,
  label,
}: {
  done: number;
  total: number | null;
  unit: string;
  /** What it is the progress of, for who does not see the bar. */
  label: string;
}) {
  if (total === null) {
    return (
      <span>
        {count(done)} {unit}
      </span>
    );
  }
  // 100 % only when it is.
  const percent = total === 0 ? 100 : Math.floor((Math.min(done, total) / total) * 100);
  return (
    <span className="progress">
      <progress aria-label={label} max={Math.max(total, 1)} value={total === 0 ? 1 : Math.min(done, total)} />
      <span>
        {percent} % <span className="quiet">{`${count(done)} of ${count(total)} ${unit}`}</span>
      </span>
    </span>
  );
}
