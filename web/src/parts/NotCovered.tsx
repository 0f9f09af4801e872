import { count, size, visible } from '../format.js';

/** A part of an object that an engine did not look at, and why. */
export interface Gap {
  readonly path: string;
  readonly reason: string;
  readonly detail?: string;
}

const WORDS: Readonly<Record<string, string>> = {
  encrypted: 'it is encrypted',
  limit: 'a limit of the scan was reached',
  unsupported: 'its format cannot be unpacked here',
  timeout: 'the scan took too long',
  corrupt: 'it is damaged',
  engine_missing: 'no malware engine with signatures was there',
  database_unknown: 'nobody knows how old the signatures of the malware engine are',
  engine_error: 'an engine failed',
  rule_disabled: 'a rule took too long and was switched off',
};

// A page for people: an archive may have thousands.
const SHOWN = 20;

/** What only an engine for malware says of itself. */
const OF_MALWARE_ENGINES = ['engine_missing', 'database_unknown'];

/** What an engine that the bucket required did not look at. */
export interface Judged {
  readonly verdict: string;
  /** Null where nobody knows which ones that were: then every gap is one. */
  readonly required: readonly string[] | null;
  readonly notCovered: readonly Gap[];
}

/** Malware was not required, and no engine looked for it. */
export const isMalwareLeftOut = ({ required, notCovered }: Judged): boolean =>
  required !== null &&
  required.length > 0 &&
  !required.includes('malware') &&
  notCovered.some(({ reason }) => OF_MALWARE_ENGINES.includes(reason));

/** What is a lack: a part that an engine which the bucket requires was to look at. */
export function gapsOf(judged: Judged): readonly Gap[] {
  // Whatever is called clean was looked at whole by each engine that its bucket requires.
  if (judged.verdict.startsWith('clean')) return [];
  return isMalwareLeftOut(judged)
    ? judged.notCovered.filter(({ reason }) => !OF_MALWARE_ENGINES.includes(reason))
    : judged.notCovered;
}

/** Which parts were not looked at, and why; nothing when every byte was. */
export function NotCovered({
  gaps,
  bytes,
  hasFindings,
}: {
  gaps: readonly Gap[];
  bytes: { readonly scanned: number | null; readonly total: number | null };
  /** Something was found, and stands whatever else was not looked at. */
  hasFindings: boolean;
}) {
  const { scanned, total } = bytes;
  const isShort = scanned !== null && total !== null && scanned < total;
  if (gaps.length === 0 && !isShort) return null;
  // Each engine tells of the same part.
  const different = [...new Map(gaps.map((gap) => [JSON.stringify(gap), gap])).values()];
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
              Only {size(scanned)} of {size(total)} were read.
            </li>
          ) : null}
          {different.slice(0, SHOWN).map((gap) => (
            <li key={JSON.stringify(gap)}>
              {gap.path === '' ? 'The object as a whole' : <span className="mono">{visible(gap.path)}</span>}:{' '}
              {WORDS[gap.reason] ?? visible(gap.reason.replaceAll('_', ' '))}.
              {gap.detail === undefined ? null : <span className="quiet"> {visible(gap.detail)}</span>}
            </li>
          ))}
        </ul>
        {different.length > SHOWN ? (
          <p className="quiet">{count(different.length - SHOWN)} more are not shown.</p>
        ) : null}
      </div>
    </>
  );
}
