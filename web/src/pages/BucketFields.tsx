import { ACTION_MODES, type ActionMode, type Bucket, type Endpoint, type Engine } from '../buckets.js';
import { size } from '../format.js';
import { Check, Field } from '../parts/Fields.js';
import { numberOf } from './lines.js';

/** What stands in the form, as it is typed. */
export interface BucketDraft {
  readonly endpointId: string;
  readonly bucket: string;
  readonly actionMode: ActionMode;
  readonly required: readonly Engine[];
  readonly quarantineBucket: string;
  readonly ownerGroup: string;
  readonly reviewers: string;
  readonly priority: string;
  readonly maxRunning: string;
  readonly maxRunningBytes: string;
  /** One a line. */
  readonly archivePasswords: string;
  readonly forgetPasswords: boolean;
  readonly expectedOwner: string;
  readonly quarantineOwner: string;
  readonly requesterPays: boolean;
  readonly enabled: boolean;
}

export const draftOf = (bucket: Bucket | undefined, endpointId: string): BucketDraft => ({
  endpointId,
  bucket: bucket?.bucket ?? '',
  actionMode: bucket?.actionMode ?? 'tag',
  required: bucket?.required ?? ['secrets', 'malware'],
  quarantineBucket: bucket?.quarantineBucket ?? '',
  ownerGroup: bucket?.ownerGroup ?? '',
  reviewers: bucket?.reviewers ?? '',
  priority: bucket?.priority?.toString() ?? '',
  maxRunning: bucket?.quotas.maxRunning?.toString() ?? '',
  maxRunningBytes: bucket?.quotas.maxRunningBytes?.toString() ?? '',
  archivePasswords: '',
  forgetPasswords: false,
  expectedOwner: bucket?.expectedOwner ?? '',
  quarantineOwner: bucket?.quarantineOwner ?? '',
  requesterPays: bucket?.requesterPays ?? false,
  enabled: bucket?.enabled ?? true,
});

const text = (value: string): string | null => (value.trim() === '' ? null : value.trim());
const number = (value: string): number | string | null => (value.trim() === '' ? null : numberOf(value));

/** What the server is told. Passwords are told only when they change: nobody can read them back. */
export function bodyOf(draft: BucketDraft, before: Bucket | undefined): Record<string, unknown> {
  // A space may belong to a password; an empty line is none.
  const passwords = draft.archivePasswords.split('\n').filter((line) => line !== '');
  return {
    actionMode: draft.actionMode,
    required: draft.required,
    quarantineBucket: text(draft.quarantineBucket),
    ownerGroup: text(draft.ownerGroup),
    reviewers: text(draft.reviewers),
    priority: number(draft.priority),
    quotas: { maxRunning: number(draft.maxRunning), maxRunningBytes: number(draft.maxRunningBytes) },
    expectedOwner: text(draft.expectedOwner),
    quarantineOwner: text(draft.quarantineOwner),
    requesterPays: draft.requesterPays,
    enabled: draft.enabled,
    ...(passwords.length > 0 && { archivePasswords: passwords }),
    ...(draft.forgetPasswords && before !== undefined && { archivePasswords: [] }),
  };
}

export function BucketFields({
  draft,
  set,
  endpoints,
  bucket,
}: {
  draft: BucketDraft;
  set: (draft: BucketDraft) => void;
  /** Where a new one can be. */
  endpoints?: readonly Endpoint[];
  /** The one that is changed. */
  bucket?: Bucket;
}) {
  const edit = (part: Partial<BucketDraft>): void => set({ ...draft, ...part });
  const require = (engine: Engine, isRequired: boolean): void =>
    edit({
      required: (['secrets', 'malware'] as const).filter((one) =>
        one === engine ? isRequired : draft.required.includes(one),
      ),
    });
  const bytes = Number(draft.maxRunningBytes);
  return (
    <>
      {endpoints === undefined ? null : (
        <div className="cols">
          <Field label="Endpoint">
            <select value={draft.endpointId} onChange={(event) => edit({ endpointId: event.target.value })}>
              {endpoints.map(({ id, url }) => (
                <option key={id} value={id}>
                  {id} ({url ?? 'AWS'})
                </option>
              ))}
            </select>
          </Field>
          <Field label="Bucket">
            <input
              value={draft.bucket}
              required
              spellCheck={false}
              autoCapitalize="none"
              onChange={(event) => edit({ bucket: event.target.value })}
            />
          </Field>
        </div>
      )}
      <Check
        label="Scan what is uploaded to it"
        checked={draft.enabled}
        onChange={(enabled) => edit({ enabled })}
      />
      <div className="cols">
        <Field label="Action">
          <select
            value={draft.actionMode}
            onChange={(event) => edit({ actionMode: event.target.value as ActionMode })}
          >
            {Object.entries(ACTION_MODES).map(([mode, words]) => (
              <option key={mode} value={mode}>
                {words}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Quarantine bucket" hint="On the same endpoint; no source of uploads itself.">
          <input
            value={draft.quarantineBucket}
            required={draft.actionMode === 'quarantine'}
            spellCheck={false}
            autoCapitalize="none"
            onChange={(event) => edit({ quarantineBucket: event.target.value })}
          />
        </Field>
      </div>
      <fieldset>
        <legend>An object is clean only when every byte was looked at for</legend>
        {(['secrets', 'malware'] as const).map((engine) => (
          <Check
            key={engine}
            label={engine}
            checked={draft.required.includes(engine)}
            onChange={(isRequired) => require(engine, isRequired)}
          />
        ))}
      </fieldset>
      <div className="cols">
        <Field label="Reviewers" hint="The group that is asked; everybody who may decide, when empty.">
          <input value={draft.reviewers} onChange={(event) => edit({ reviewers: event.target.value })} />
        </Field>
        <Field label="Owner group">
          <input value={draft.ownerGroup} onChange={(event) => edit({ ownerGroup: event.target.value })} />
        </Field>
      </div>
      <div className="cols">
        <Field label="Priority" hint="0 to 99, higher first; the trigger rule's, when empty.">
          <input
            value={draft.priority}
            inputMode="numeric"
            onChange={(event) => edit({ priority: event.target.value })}
          />
        </Field>
        <Field
          label="Scans at once"
          hint="At most so many of its objects are under way; no limit, when empty."
        >
          <input
            value={draft.maxRunning}
            inputMode="numeric"
            onChange={(event) => edit({ maxRunning: event.target.value })}
          />
        </Field>
        <Field
          label="Bytes at once"
          hint={draft.maxRunningBytes === '' || Number.isNaN(bytes) ? 'No limit, when empty.' : size(bytes)}
        >
          <input
            value={draft.maxRunningBytes}
            inputMode="numeric"
            onChange={(event) => edit({ maxRunningBytes: event.target.value })}
          />
        </Field>
      </div>
      <div className="cols">
        <Field
          label="Archive passwords"
          hint={
            bucket === undefined || bucket.archivePasswordCount === 0
              ? 'One a line; tried on encrypted archives. They are kept sealed and cannot be read back.'
              : `${bucket.archivePasswordCount} are kept, sealed. What you write here replaces them, one a line.`
          }
        >
          <textarea
            rows={2}
            value={draft.archivePasswords}
            autoComplete="off"
            spellCheck={false}
            disabled={draft.forgetPasswords}
            onChange={(event) => edit({ archivePasswords: event.target.value })}
          />
        </Field>
        <Field label="Owner of the bucket" hint="The 12 digits of the AWS account that it must belong to.">
          <input
            value={draft.expectedOwner}
            inputMode="numeric"
            onChange={(event) => edit({ expectedOwner: event.target.value })}
          />
        </Field>
        <Field label="Owner of its quarantine" hint="The account that the quarantine bucket must belong to.">
          <input
            value={draft.quarantineOwner}
            inputMode="numeric"
            onChange={(event) => edit({ quarantineOwner: event.target.value })}
          />
        </Field>
      </div>
      {bucket !== undefined && bucket.archivePasswordCount > 0 ? (
        <Check
          label="Forget its archive passwords"
          checked={draft.forgetPasswords}
          onChange={(forgetPasswords) => edit({ forgetPasswords, archivePasswords: '' })}
        />
      ) : null}
      <Check
        label="We pay for its requests (requester pays)"
        checked={draft.requesterPays}
        onChange={(requesterPays) => edit({ requesterPays })}
      />
    </>
  );
}
