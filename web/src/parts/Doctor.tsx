import { useMutation } from '@tanstack/react-query';
import { call } from '../api.js';
import { duration, visible } from '../format.js';
import { Problem } from './Problem.js';
import { State } from './State.js';

interface Diagnosis {
  readonly check: string;
  readonly subject: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly fact: string;
  readonly remedy?: string;
}

interface Examination {
  readonly worst: Diagnosis['status'];
  readonly durationMs: number;
  readonly diagnoses: readonly Diagnosis[];
}

const SUMMARY: Readonly<Record<Diagnosis['status'], string>> = {
  ok: 'All is well.',
  warn: 'It works, but not as it should.',
  fail: 'Something does not work.',
};
const ORDER: readonly Diagnosis['status'][] = ['fail', 'warn', 'ok'];

/** Proves that buckets and the service work, by trying; says of what does not how it is mended. */
export function Doctor({
  bucket,
}: {
  /** This one alone; every bucket and the service when absent. */
  bucket?: { readonly endpointId: string; readonly bucket: string };
}) {
  const examine = useMutation({
    mutationFn: () =>
      call<Examination>('/api/v1/doctor', {
        method: 'POST',
        body: bucket === undefined ? {} : { buckets: [bucket] },
      }),
  });
  return (
    <section className="card" aria-labelledby="doctor">
      <div className="heading">
        <h2 id="doctor">Doctor</h2>
        <span className="quiet">
          {bucket === undefined
            ? 'tries the service, and in each bucket every right on a probe object, and its events'
            : 'tries every right on a probe object, and waits for its event'}
        </span>
        <span className="actions">
          <button type="button" disabled={examine.isPending} onClick={() => examine.mutate()}>
            Examine
          </button>
        </span>
      </div>
      <Problem error={examine.error} />
      <div role="status">
        {examine.isPending ? <p className="quiet">Trying; this may take a minute…</p> : null}
        {examine.data === undefined ? null : (
          <p>
            <State of={examine.data.worst} /> {SUMMARY[examine.data.worst]}{' '}
            <span className="quiet">{duration(examine.data.durationMs)}</span>
          </p>
        )}
      </div>
      {examine.data === undefined ? null : <Diagnoses of={examine.data.diagnoses} />}
    </section>
  );
}

function Diagnoses({ of: diagnoses }: { of: readonly Diagnosis[] }) {
  const sorted = diagnoses.toSorted((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status));
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">State</th>
          <th scope="col">Found</th>
        </tr>
      </thead>
      <tbody>
        {sorted.map(({ check, subject, status, fact, remedy }) => (
          <tr key={`${check} ${subject} ${fact}`}>
            <td>
              {visible(check)}
              <div className="quiet">{visible(subject)}</div>
            </td>
            <td>
              <State of={status} />
            </td>
            <td>
              {visible(fact)}
              {remedy === undefined ? null : (
                <div>
                  <strong>To mend it:</strong> {visible(remedy)}
                </div>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
