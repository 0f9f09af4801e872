import { Field } from '../parts/Fields.js';
import type { Share } from '../triggers.js';
import { numberOf } from './lines.js';

export interface ShareDraft {
  /** Of the row in the form. */
  readonly id: string;
  readonly workflow: string;
  readonly version: string;
  readonly percent: string;
}

export const newShare = (share?: Share): ShareDraft => ({
  id: Math.random().toString(36).slice(2),
  workflow: share?.workflow ?? '',
  version: share?.version?.toString() ?? '',
  percent: share?.percent.toString() ?? '10',
});

export const shareBody = ({ workflow, version, percent }: ShareDraft): Record<string, unknown> => ({
  workflow: workflow.trim(),
  ...(version.trim() !== '' && { version: numberOf(version) }),
  percent: numberOf(percent),
});

/** Other workflows, or versions, that get a part of the uploads: for a change that is tried on a few first. */
export function RuleShares({
  shares,
  set,
}: {
  shares: readonly ShareDraft[];
  set: (shares: readonly ShareDraft[]) => void;
}) {
  const edit = (id: string, part: Partial<ShareDraft>): void =>
    set(shares.map((share) => (share.id === id ? { ...share, ...part } : share)));
  return (
    <>
      {shares.map((share, index) => (
        <fieldset key={share.id}>
          <legend>Share {index + 1}</legend>
          <div className="cols">
            <Field label="Workflow of the share">
              <input
                value={share.workflow}
                required
                list="workflows"
                spellCheck={false}
                onChange={(event) => edit(share.id, { workflow: event.target.value })}
              />
            </Field>
            <Field label="Version of the share">
              <input
                value={share.version}
                inputMode="numeric"
                onChange={(event) => edit(share.id, { version: event.target.value })}
              />
            </Field>
            <Field label="Percent">
              <input
                value={share.percent}
                required
                inputMode="numeric"
                onChange={(event) => edit(share.id, { percent: event.target.value })}
              />
            </Field>
          </div>
          <button
            type="button"
            className="plain"
            onClick={() => set(shares.filter(({ id }) => id !== share.id))}
          >
            Leave share {index + 1} out
          </button>
        </fieldset>
      ))}
      <div className="row">
        <button type="button" onClick={() => set([...shares, newShare()])}>
          Give a share to another version
        </button>
      </div>
    </>
  );
}
