import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router-dom';
import { call } from '../api.js';
import { backfillPath, type Run } from '../backfills.js';
import { count } from '../format.js';
import { ConfirmButton } from '../parts/ConfirmButton.js';
import { Check, Field } from '../parts/Fields.js';
import { Problem } from '../parts/Problem.js';
import { useSettled } from '../parts/useSettled.js';
import { CLEAN_VERDICTS } from '../verdicts.js';
import { numberOf } from './lines.js';

/** Those whose bytes may say more today than they did, and the chosen ones. */
const CHOICES = [
  ...CLEAN_VERDICTS,
  'incomplete',
  'unsupported',
  'encrypted',
  'failed',
  'denied',
  'archived',
] as const;
const FIRST: readonly string[] = [...CLEAN_VERDICTS, 'incomplete'];

/** Looks again at what the ledger knows of a bucket. How much that is, is said before anything begins. */
export function RescanCard({ bucket }: { bucket: string }) {
  const navigate = useNavigate();
  const [verdicts, setVerdicts] = useState(FIRST);
  const [prefix, setPrefix] = useState('');
  const [days, setDays] = useState('');
  const settledPrefix = useSettled(prefix);
  // Asked for by opening it: counting a large bucket takes the database a while.
  const [isOpen, setOpen] = useState(false);
  const known = useQuery({
    queryKey: ['rescan-counts', bucket, settledPrefix],
    queryFn: () =>
      call<{ counts: Readonly<Record<string, number>> }>(
        `/api/v1/objects/summary?${new URLSearchParams({ bucket, prefix: settledPrefix }).toString()}`,
      ),
    enabled: isOpen,
    staleTime: 60_000,
  });
  const counts = known.data?.counts;
  const most = verdicts.reduce((sum, verdict) => sum + (counts?.[verdict] ?? 0), 0);
  const begin = useMutation({
    mutationFn: () =>
      call<Run>('/api/v1/rescans', {
        method: 'POST',
        body: {
          bucket,
          verdicts,
          ...(prefix !== '' && { prefix }),
          ...(days.trim() !== '' && { notScannedDays: numberOf(days) }),
        },
      }),
    onSuccess: (run) => navigate(backfillPath(run.id)),
  });
  const isCounting = known.isFetching || settledPrefix !== prefix;
  return (
    <details className="card" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Rescan</summary>
      <div className="form">
        <p className="quiet">
          Scans again what the ledger knows of this bucket, with the engines and signatures of today.
        </p>
        <fieldset>
          <legend>With the verdict</legend>
          <div className="states">
            {CHOICES.map((verdict) => (
              <Check
                key={verdict}
                label={counts === undefined ? verdict : `${verdict} (${count(counts[verdict] ?? 0)})`}
                checked={verdicts.includes(verdict)}
                onChange={(isChosen) =>
                  setVerdicts(isChosen ? [...verdicts, verdict] : verdicts.filter((one) => one !== verdict))
                }
              />
            ))}
          </div>
        </fieldset>
        <div className="cols">
          <Field label="Key begins with" hint="All, when empty.">
            <input value={prefix} spellCheck={false} onChange={(event) => setPrefix(event.target.value)} />
          </Field>
          <Field label="Not scanned for (days)" hint="However recently, when empty.">
            <input value={days} inputMode="decimal" onChange={(event) => setDays(event.target.value)} />
          </Field>
        </div>
        <Problem error={known.error ?? begin.error} />
        <p role="status">
          {isCounting
            ? 'Counting…'
            : counts === undefined
              ? null
              : most === 0
                ? 'The ledger knows no object like this: there is nothing to scan again.'
                : `${days.trim() === '' ? '' : 'At most '}${count(most)} ${most === 1 ? 'object is' : 'objects are'} scanned again.`}
        </p>
        <div className="row">
          <ConfirmButton
            label="Rescan"
            question={`Really rescan ${count(most)}`}
            effect="They wait behind new uploads, and the run can be paused among the backfills."
            disabled={begin.isPending || isCounting || most === 0}
            onConfirm={() => begin.mutate()}
          />
        </div>
      </div>
    </details>
  );
}
