import { useQuery } from '@tanstack/react-query';
import { call } from '../api.js';
import { when } from '../format.js';
import { Check, Field } from '../parts/Fields.js';
import { useSettled } from '../parts/useSettled.js';
import { CATCH_UP, type CatchUp, type Schedule } from '../schedules.js';
import { jsonOf } from './lines.js';

/** What stands in the form, as it is typed. */
export interface ScheduleDraft {
  readonly name: string;
  readonly description: string;
  readonly kind: string;
  /** JSON. */
  readonly payload: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly catchUp: CatchUp;
  readonly catchUpWithinHours: string;
  readonly enabled: boolean;
}

export const draftOf = (schedule: Schedule | undefined): ScheduleDraft => ({
  name: schedule?.name ?? '',
  description: schedule?.description ?? '',
  kind: schedule?.kind ?? 'rescan',
  payload: JSON.stringify(schedule?.payload ?? {}, null, 2),
  cron: schedule?.cron ?? '0 3 * * 1',
  timeZone: schedule?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
  catchUp: schedule?.catchUp ?? 'last',
  catchUpWithinHours: String((schedule?.catchUpWithinSeconds ?? 86_400) / 3600),
  enabled: schedule?.enabled ?? true,
});

/** What the server is told. @throws Error where the payload is no JSON. */
export function bodyOf(draft: ScheduleDraft): Record<string, unknown> {
  const description = draft.description.trim();
  return {
    ...(description !== '' && { description }),
    kind: draft.kind.trim(),
    payload: draft.payload.trim() === '' ? {} : jsonOf(draft.payload, 'payload'),
    cron: draft.cron.trim(),
    timeZone: draft.timeZone.trim(),
    catchUp: draft.catchUp,
    catchUpWithinSeconds: Math.round(Number(draft.catchUpWithinHours) * 3600),
    enabled: draft.enabled,
  };
}

// Not in every browser.
const ZONES = typeof Intl.supportedValuesOf === 'function' ? Intl.supportedValuesOf('timeZone') : [];
const KINDS = ['rescan', 'reconcile', 'workflow'];

export function ScheduleFields({
  draft,
  set,
  isNew,
}: {
  draft: ScheduleDraft;
  set: (draft: ScheduleDraft) => void;
  isNew: boolean;
}) {
  const edit = (part: Partial<ScheduleDraft>): void => set({ ...draft, ...part });
  return (
    <>
      <div className="cols">
        {isNew ? (
          <Field label="Name" hint="Small letters, digits, - _ and .; it cannot be changed later.">
            <input
              value={draft.name}
              required
              spellCheck={false}
              autoCapitalize="none"
              onChange={(event) => edit({ name: event.target.value })}
            />
          </Field>
        ) : null}
        <Field label="Description">
          <input value={draft.description} onChange={(event) => edit({ description: event.target.value })} />
        </Field>
        <Field label="Does" hint="The kind of work.">
          <input
            value={draft.kind}
            required
            list="schedule-kinds"
            spellCheck={false}
            autoCapitalize="none"
            onChange={(event) => edit({ kind: event.target.value })}
          />
        </Field>
        <datalist id="schedule-kinds">
          {KINDS.map((kind) => (
            <option key={kind} value={kind} />
          ))}
        </datalist>
      </div>
      <div className="cols">
        <Field label="Cron" hint="Minute, hour, day of the month, month, day of the week.">
          <input
            value={draft.cron}
            required
            className="mono"
            spellCheck={false}
            onChange={(event) => edit({ cron: event.target.value })}
          />
        </Field>
        <Field label="Time zone">
          <input
            value={draft.timeZone}
            required
            list="time-zones"
            spellCheck={false}
            onChange={(event) => edit({ timeZone: event.target.value })}
          />
        </Field>
        <datalist id="time-zones">
          {ZONES.map((zone) => (
            <option key={zone} value={zone} />
          ))}
        </datalist>
      </div>
      <NextTimes cron={draft.cron} timeZone={draft.timeZone} />
      <div className="cols">
        <Field label="Times at which nobody was there">
          <select
            value={draft.catchUp}
            onChange={(event) => edit({ catchUp: event.target.value as CatchUp })}
          >
            {Object.entries(CATCH_UP).map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Not older than, in hours">
          <input
            value={draft.catchUpWithinHours}
            inputMode="decimal"
            disabled={draft.catchUp === 'none'}
            onChange={(event) => edit({ catchUpWithinHours: event.target.value })}
          />
        </Field>
      </div>
      <Field label="Payload" hint="JSON: what this kind of work needs to know.">
        <textarea
          rows={4}
          className="mono"
          value={draft.payload}
          spellCheck={false}
          onChange={(event) => edit({ payload: event.target.value })}
        />
      </Field>
      {isNew ? (
        <Check label="Runs from now on" checked={draft.enabled} onChange={(enabled) => edit({ enabled })} />
      ) : null}
    </>
  );
}

/** When it would be due, as the server counts: the answer to "did I write that cron right?". */
function NextTimes({ cron, timeZone }: { cron: string; timeZone: string }) {
  const asked = useSettled(
    `cron=${encodeURIComponent(cron)}&timeZone=${encodeURIComponent(timeZone)}&count=3`,
  );
  const times = useQuery({
    queryKey: ['schedule-times', asked],
    queryFn: () => call<{ times: readonly string[] }>(`/api/v1/schedules/times?${asked}`),
    retry: false,
  });
  if (times.error !== null) {
    return (
      <p className="problem" role="status">
        {times.error.message}
      </p>
    );
  }
  return (
    <p className="quiet" role="status">
      Due next, in your own time: {times.data?.times.map((at) => when(at)).join(' · ') ?? '…'}
    </p>
  );
}
