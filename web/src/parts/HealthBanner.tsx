import { useState } from 'react';
import { troublesOf, useHealth, type Check } from '../health.js';

/**
 * What does not work as it should, with the line that mends it; nothing when all is well. What only works with limits
 * can be folded to one line, which this browser remembers until there is something else to say.
 */
export function HealthBanner() {
  const health = useHealth();
  if (health.error !== null) return <p className="notice bad">The service does not answer.</p>;
  const troubles = troublesOf(health.data);
  const limits = troubles.filter(({ healthy }) => healthy);
  return (
    <>
      {/* Ages in the lines change all the time: who listens hears of what, not of each second. */}
      <p className="unseen" role="status">
        {troubles.map(({ name, healthy }) => `${name} ${healthy ? 'works with limits' : 'does not work'}. `)}
      </p>
      {troubles
        .filter(({ healthy }) => !healthy)
        .map((check) => (
          <p key={keyOf(check)} className="notice bad">
            <Line of={check} />
          </p>
        ))}
      {limits.length === 0 ? null : <Limits of={limits} />}
    </>
  );
}

function Limits({ of: limits }: { of: readonly Check[] }) {
  const text = limits.map(substanceOf).join('\n');
  const [folded, setFolded] = useState(remembered);
  const isFolded = folded === text;
  const toggle = (): void => {
    const next = isFolded ? '' : text;
    remember(next);
    setFolded(next);
  };
  const fold = (
    <button type="button" className="plain" aria-expanded={!isFolded} onClick={toggle}>
      {isFolded ? 'Show' : 'Fold'}
      <span className="unseen"> what works with limits</span>
    </button>
  );
  if (isFolded) {
    return (
      <p className="notice warn folded single">
        <span>
          Works with limits: <strong>{[...new Set(limits.map(({ name }) => name))].join(', ')}</strong>
        </span>
        {fold}
      </p>
    );
  }
  return limits.map((check, index) => (
    <p key={keyOf(check)} className="notice warn folded">
      <span>
        <Line of={check} />
      </span>
      {index === 0 ? fold : null}
    </p>
  ));
}

const Line = ({ of: { name, detail, remedy } }: { of: Check }) => (
  <>
    <strong>{name}</strong>: {detail}
    {remedy === undefined ? null : <> — {remedy}</>}
  </>
);

const keyOf = ({ name, detail, remedy }: Check): string => `${name}: ${detail} ${remedy ?? ''}`;

// `no message for 25 s` says the same a minute later.
const FIGURES = /\d[\d.,:]*(\s*(ms|s|min|h|d)\b)?/g;

/** What it says, without the figures in it. */
const substanceOf = (check: Check): string =>
  `${check.name}: ${check.detail.replace(FIGURES, '#').replace(/#( #)+/g, '#')} ${check.remedy ?? ''}`;

const FOLDED = 'sallyport.folded';

/** A browser may keep nothing for us: then it is folded until the page is loaded again. */
function remembered(): string {
  try {
    return localStorage.getItem(FOLDED) ?? '';
  } catch {
    return '';
  }
}

function remember(text: string): void {
  try {
    localStorage.setItem(FOLDED, text);
  } catch {
    // See above.
  }
}
