import { Fragment, useState, type ReactNode } from 'react';

/**
 * Holds still what somebody edits: when it is changed elsewhere meanwhile, this says so and leaves what was typed alone.
 * `renew` is for one's own change, after which the form begins anew.
 */
export function Held<T>({
  latest,
  versionOf,
  children,
}: {
  latest: T;
  versionOf: (one: T) => number;
  children: (held: T, renew: (changed: T) => void) => ReactNode;
}) {
  const [held, setHeld] = useState(latest);
  return (
    <>
      {versionOf(latest) === versionOf(held) ? null : (
        <p className="notice quietly" role="status">
          Somebody changed it meanwhile, so what you enter here cannot be saved.{' '}
          <button type="button" className="plain" onClick={() => setHeld(latest)}>
            Show what stands now
          </button>
        </p>
      )}
      <Fragment key={versionOf(held)}>{children(held, setHeld)}</Fragment>
    </>
  );
}
