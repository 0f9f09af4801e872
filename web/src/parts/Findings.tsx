import { Link } from 'react-router-dom';
import { visible } from '../format.js';
import type { Finding } from '../reviews.js';
import { useMay } from './useSession.js';

const SEVERITY_TONES: Readonly<Record<string, string>> = {
  critical: 'bad',
  high: 'bad',
  medium: 'warn',
  low: 'idle',
};

const CONFIDENCE_TONES: Readonly<Record<string, string>> = {
  certain: 'bad',
  likely: 'warn',
  possible: 'idle',
};
/** A confidence in the words that people read everywhere; src/cli/findings.ts has the same. */
const SURENESS: Readonly<Record<string, string>> = { high: 'certain', medium: 'likely', low: 'possible' };

/** What was found, masked: the service keeps no secret in the clear, so none can be shown. */
export function Findings({ items, total }: { items: readonly Finding[]; total: number }) {
  const may = useMay('analyst', 'author');
  if (items.length === 0) return <p className="quiet">Nothing was found in what could be looked into.</p>;
  return (
    <>
      {/* On a phone its rows are drawn as blocks, which takes the roles of a table from them. */}
      <table className="stack" role="table" aria-label="Findings">
        <thead role="rowgroup">
          <tr role="row">
            {['What', 'Where', 'Severity', 'Confidence', 'Excerpt, masked'].map((name) => (
              <th key={name} scope="col" role="columnheader">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {items.map((finding) => (
            <tr key={`${finding.fingerprint}:${finding.path}:${finding.byteOffset}`} role="row">
              <td role="cell">
                {visible(finding.title)} <div className="quiet mono">{visible(finding.ruleId)}</div>
                {notesOn(finding).map((note) => (
                  <div key={note}>{note}</div>
                ))}
                {may && finding.id !== undefined ? (
                  <Link to={`/findings?finding=${finding.id}`}>Ask for an exception</Link>
                ) : null}
              </td>
              <td role="cell" data-label="Where" className="mono">
                {placeOf(finding)}
              </td>
              <td role="cell" data-label="Severity">
                <Grade of={finding.severity} tones={SEVERITY_TONES} />
              </td>
              <td role="cell" data-label="Confidence">
                <Grade of={SURENESS[finding.confidence] ?? finding.confidence} tones={CONFIDENCE_TONES} />
              </td>
              <td role="cell" data-label="Excerpt, masked" className="mono">
                {finding.excerpt === undefined || finding.excerpt === null ? '–' : visible(finding.excerpt)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {total > items.length ? <p className="quiet">{total - items.length} more are not shown.</p> : null}
    </>
  );
}

/** What is known of it beside what it is. */
function notesOn({ accepted, acceptedReason, verified }: Finding): string[] {
  // A review tells the reason alone.
  const reason = typeof accepted === 'string' ? accepted : (acceptedReason ?? '');
  return [
    ...(accepted === true || reason !== ''
      ? [`Answered for, so that it does not count${reason === '' ? '' : `: ${visible(reason)}`}`]
      : []),
    ...(verified === 'active' ? ['In use, says its provider'] : []),
    ...(verified === 'inactive' ? ['Not in use any more, says its provider'] : []),
  ];
}

const placeOf = ({ path, line }: Finding): string =>
  [path === '' ? '' : visible(path), typeof line === 'number' ? `line ${line}` : '']
    .filter(Boolean)
    .join(', ') || 'the object';

const Grade = ({ of: grade, tones }: { of: string; tones: Readonly<Record<string, string>> }) => (
  <span className={`state tone-${tones[grade] ?? 'idle'}`}>{grade}</span>
);
