import { visible } from '../format.js';
import type { Finding } from '../reviews.js';

const SEVERITY_TONES: Readonly<Record<string, string>> = {
  critical: 'bad',
  high: 'bad',
  medium: 'warn',
  low: 'idle',
};

/** What was found, masked: the service keeps no secret in the clear, so none can be shown. */
export function Findings({ items, total }: { items: readonly Finding[]; total: number }) {
  if (items.length === 0) return <p className="quiet">Nothing was found in what could be looked into.</p>;
  return (
    <>
      <table>
        <thead>
          <tr>
            <th>What</th>
            <th>Where</th>
            <th>Severity</th>
            <th>Excerpt, masked</th>
          </tr>
        </thead>
        <tbody>
          {items.map((finding) => (
            <tr key={`${finding.fingerprint}:${finding.path}:${finding.byteOffset}`}>
              <td>
                {visible(finding.title)} <div className="quiet mono">{finding.ruleId}</div>
              </td>
              <td className="mono">
                {[
                  finding.path === '' ? '' : visible(finding.path),
                  typeof finding.line === 'number' ? `line ${finding.line}` : '',
                ]
                  .filter(Boolean)
                  .join(', ') || 'the object'}
              </td>
              <td>
                <span className={`state tone-${SEVERITY_TONES[finding.severity] ?? 'idle'}`}>
                  {finding.severity}
                </span>
                <div className="quiet">{finding.confidence} confidence</div>
              </td>
              <td className="mono">
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
