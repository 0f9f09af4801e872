import { visible } from '../outbound/safe-text.js';
import type { PlacedBucket } from './buckets.js';
import type { Cli } from './cli.js';

/** What the doctor found. */
export interface Examination {
  readonly worst: 'ok' | 'warn' | 'fail';
  readonly durationMs: number;
  readonly diagnoses: readonly {
    readonly check: string;
    readonly subject: string;
    readonly status: 'ok' | 'warn' | 'fail';
    readonly fact: string;
    readonly remedy?: string;
  }[];
}

const SIGNS = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const;
// What the examination takes beside its waiting for events.
const BESIDE_MS = 90_000;

/** Has the service prove itself; all buckets when none is named. */
export const examine = (
  cli: Cli,
  buckets: readonly PlacedBucket[],
  waitSeconds: number,
  more: { readonly slackProbe?: string } = {},
): Promise<Examination> =>
  cli.client.call<Examination>(
    'POST',
    '/api/v1/doctor',
    {
      waitSeconds,
      ...more,
      ...(buckets.length > 0 && {
        buckets: buckets.map(({ endpointId, bucket }) => ({ endpointId, bucket })),
      }),
    },
    [],
    waitSeconds * 1000 + BESIDE_MS,
  );

/** One block for each bucket and one for the service; a remedy stands below what it mends. */
export function examinationLines({ diagnoses }: Examination): string[] {
  const subjects = [...new Set(diagnoses.map(({ subject }) => subject))];
  return subjects.flatMap((subject) => [
    `${visible(subject, 400)}:`,
    ...diagnoses
      .filter((one) => one.subject === subject)
      .flatMap(({ status, check, fact, remedy }) => [
        `  ${SIGNS[status]}  ${check.padEnd(11)}  ${visible(fact, 600)}`,
        ...(remedy === undefined ? [] : [`        ${' '.repeat(11)}> ${visible(remedy, 600)}`]),
      ]),
  ]);
}
