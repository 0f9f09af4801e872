import { gapWords } from '../../../src/verdicts/gaps.js';
import { count, size, visible } from '../format.js';

/** A part of an object that an engine did not look at, and why. */
export interface Gap {
  readonly path: string;
  readonly reason: string;
  readonly detail?: string;
}

// A page for people: an archive may have thousands.
const SHOWN = 20;

/** Which parts were not looked at, and why; nothing when every byte was. */
export function NotCovered({
  gaps,
  total = gaps.length,
  bytes,
  hasFindings,
}: {
  gaps: readonly Gap[];
  /** How many there are, where these are the first of them. */
  total?: number;
  bytes: { readonly scanned: number | null; readonly total: number | null };
  /** Something was found, and stands whatever else was not looked at. */
  hasFindings: boolean;
}) {
  const { scanned, total: all } = bytes;
  const isShort = scanned !== null && all !== null && scanned < all;
  if (gaps.length === 0 && !isShort) return null;
  const shown = gaps.slice(0, SHOWN);
  return (
    <>
      <h2 id="not-looked-at">Not looked at</h2>
      <div className="card">
        <p>
          {hasFindings
            ? 'What was found stands. Besides it, not everything could be looked at, so there may be more:'
            : 'Not everything could be looked at:'}
        </p>
        <ul className="gaps">
          {isShort ? (
            <li>
              Only {size(scanned)} of {size(all)} were read.
            </li>
          ) : null}
          {shown.map((gap) => (
            <li key={JSON.stringify(gap)}>
              {gap.path === '' ? 'The object as a whole' : <span className="mono">{visible(gap.path)}</span>}:{' '}
              {visible(gapWords(gap.reason))}.
              {gap.detail === undefined ? null : <span className="quiet"> {visible(gap.detail)}</span>}
            </li>
          ))}
        </ul>
        {total > shown.length ? (
          <p className="quiet">{count(total - shown.length)} more are not shown.</p>
        ) : null}
      </div>
    </>
  );
}
