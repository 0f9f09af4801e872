import { useQuery } from '@tanstack/react-query';
import { call, type WorkflowDef } from '../api.js';
import { Check, Field } from '../parts/Fields.js';
import { EVENT_KINDS, type Effect, type EventKind, type Rule } from '../triggers.js';
import { jsonOf, linesOf, numberOf, recordOf, textOf } from './lines.js';
import { newShare, RuleShares, shareBody, type ShareDraft } from './RuleShares.js';

/** What stands in the form, as it is typed. */
export interface RuleDraft {
  readonly name: string;
  readonly description: string;
  readonly effect: Effect;
  readonly position: string;
  readonly enabled: boolean;
  readonly bucket: string;
  readonly prefix: string;
  readonly suffix: string;
  readonly minSizeBytes: string;
  readonly maxSizeBytes: string;
  readonly eventKinds: readonly EventKind[];
  readonly contentTypes: string;
  readonly tags: string;
  readonly trustTags: boolean;
  readonly workflow: string;
  readonly version: string;
  readonly shares: readonly ShareDraft[];
  readonly priority: string;
  readonly input: string;
}

export const draftOf = (rule: Rule | undefined): RuleDraft => ({
  name: rule?.name ?? '',
  description: rule?.description ?? '',
  effect: rule?.effect ?? 'allow',
  position: String(rule?.position ?? 50),
  enabled: rule?.enabled ?? true,
  bucket: rule?.bucket ?? '',
  prefix: rule?.prefix ?? '',
  suffix: rule?.suffix ?? '',
  minSizeBytes: rule?.minSizeBytes?.toString() ?? '',
  maxSizeBytes: rule?.maxSizeBytes?.toString() ?? '',
  eventKinds: rule?.eventKinds ?? EVENT_KINDS,
  contentTypes: rule?.contentTypes?.join('\n') ?? '',
  tags: textOf(rule?.tags),
  trustTags: rule?.trustTags ?? false,
  workflow: rule?.workflow ?? 'scan_upload',
  version: rule?.version?.toString() ?? '',
  shares: (rule?.shares ?? []).map(newShare),
  priority: String(rule?.priority ?? 50),
  input: rule?.input === undefined ? '' : JSON.stringify(rule.input, null, 2),
});

/** What the server is told: what is empty is left out. @throws Error with a sentence where something cannot be read. */
export function bodyOf(draft: RuleDraft): Record<string, unknown> {
  const contentTypes = linesOf(draft.contentTypes);
  const isAllow = draft.effect === 'allow';
  const said: Record<string, unknown> = {
    description: draft.description.trim(),
    effect: draft.effect,
    position: numberOf(draft.position),
    enabled: draft.enabled,
    bucket: draft.bucket.trim(),
    // A key may begin or end with a space.
    prefix: draft.prefix,
    suffix: draft.suffix,
    minSizeBytes: numberOf(draft.minSizeBytes),
    maxSizeBytes: numberOf(draft.maxSizeBytes),
    eventKinds: draft.eventKinds,
    contentTypes: contentTypes.length === 0 ? undefined : contentTypes,
    tags: linesOf(draft.tags).length === 0 ? undefined : recordOf(draft.tags),
    trustTags: draft.trustTags,
    priority: numberOf(draft.priority),
    ...(isAllow && {
      workflow: draft.workflow.trim(),
      version: numberOf(draft.version),
      shares: draft.shares.length === 0 ? undefined : draft.shares.map(shareBody),
      input: draft.input.trim() === '' ? undefined : jsonOf(draft.input, 'input'),
    }),
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined && value !== ''));
}

export function RuleFields({
  draft,
  set,
  isNew,
}: {
  draft: RuleDraft;
  set: (draft: RuleDraft) => void;
  isNew: boolean;
}) {
  const edit = (part: Partial<RuleDraft>): void => set({ ...draft, ...part });
  const written = (name: keyof RuleDraft) => ({
    value: draft[name] as string,
    spellCheck: false,
    onChange: (event: { target: { value: string } }) => edit({ [name]: event.target.value }),
  });
  return (
    <>
      <div className="cols">
        {isNew ? (
          <Field label="Name" hint="Small letters, digits, - _ and .; it cannot be changed later.">
            <input required autoCapitalize="none" {...written('name')} />
          </Field>
        ) : null}
        <Field label="Description">
          <input {...written('description')} />
        </Field>
        <Field label="What it does" hint="A rule that skips goes before every rule that starts something.">
          <select value={draft.effect} onChange={(event) => edit({ effect: event.target.value as Effect })}>
            <option value="allow">Starts a workflow</option>
            <option value="deny">Skips the upload</option>
          </select>
        </Field>
      </div>
      <fieldset className="form">
        <legend>Uploads for which all of this holds; what is empty asks for nothing</legend>
        <div className="cols">
          <Field label="Bucket" hint="Its name, or how names begin with * at the end.">
            <input autoCapitalize="none" {...written('bucket')} />
          </Field>
          <Field label="Key begins with">
            <input autoCapitalize="none" {...written('prefix')} />
          </Field>
          <Field label="Key ends with">
            <input autoCapitalize="none" {...written('suffix')} />
          </Field>
        </div>
        <div className="cols">
          <Field label="At least, in bytes">
            <input inputMode="numeric" {...written('minSizeBytes')} />
          </Field>
          <Field label="At most, in bytes">
            <input inputMode="numeric" {...written('maxSizeBytes')} />
          </Field>
          <div>
            {EVENT_KINDS.map((kind) => (
              <Check
                key={kind}
                label={`when it is ${kind}`}
                checked={draft.eventKinds.includes(kind)}
                onChange={(isAsked) =>
                  edit({
                    eventKinds: EVENT_KINDS.filter((one) =>
                      one === kind ? isAsked : draft.eventKinds.includes(one),
                    ),
                  })
                }
              />
            ))}
          </div>
        </div>
        <div className="cols">
          <Field
            label="Types"
            hint="One a line, as application/zip or image/*; told from the bytes, not from the name."
          >
            <textarea rows={2} {...written('contentTypes')} />
          </Field>
          <Field label="Tags" hint="name=value, one a line.">
            <textarea rows={2} {...written('tags')} />
          </Field>
        </div>
        <Check
          label="Trust the tags: only we can tag what is uploaded there"
          checked={draft.trustTags}
          onChange={(trustTags) => edit({ trustTags })}
        />
      </fieldset>
      {draft.effect === 'allow' ? (
        <>
          <div className="cols">
            <Field label="Workflow">
              <input required list="workflows" autoCapitalize="none" {...written('workflow')} />
            </Field>
            <Field label="Version" hint="The newest, when empty.">
              <input inputMode="numeric" {...written('version')} />
            </Field>
            <Field label="Position" hint="Lower is asked first; the shipped rule stands at 100.">
              <input required inputMode="numeric" {...written('position')} />
            </Field>
            <Field label="Priority" hint="0 to 99, higher first.">
              <input required inputMode="numeric" {...written('priority')} />
            </Field>
          </div>
          <Workflows />
          <RuleShares shares={draft.shares} set={(shares) => edit({ shares })} />
          <Field
            label="Input"
            hint="JSON, added to the workflow's input; ${event.key}, ${event.sizeBytes}, ${event.tags.team} are filled in."
          >
            <textarea rows={3} className="mono" {...written('input')} />
          </Field>
        </>
      ) : null}
      {isNew ? (
        <Check label="Counts from now on" checked={draft.enabled} onChange={(enabled) => edit({ enabled })} />
      ) : null}
    </>
  );
}

/** The names that can be chosen from. */
function Workflows() {
  const defs = useQuery({
    queryKey: ['workflow-defs'],
    queryFn: () => call<readonly WorkflowDef[]>('/api/metadata/workflow'),
    staleTime: 60_000,
  });
  const names = [...new Set(defs.data?.map(({ name }) => name) ?? [])];
  return (
    <datalist id="workflows">
      {names.map((name) => (
        <option key={name} value={name} />
      ))}
    </datalist>
  );
}
