import type { Control, ControlId } from '../data/controls.js';
import type { Coverage, Scanning } from '../data/coverage.js';
import { LISTED_ROWS } from '../data/parts.js';
import type { Health, Previous } from '../data/record.js';
import type { Checked, CheckedDecisions } from './decisions.js';
import { iso } from './section.js';

/** What the checks look at. */
export interface Checkable {
  readonly decisions: CheckedDecisions;
  readonly coverage: Coverage;
  readonly scanning: Scanning;
  readonly health: Health;
  readonly previous: Previous | null;
}

type Row = Control['exceptions']['rows'][number];

/** How each check of a decision is named and made. */
const OF_DECISIONS: readonly (readonly [id: ControlId, title: string, how: string])[] = [
  [
    'self_approval',
    'Self-approvals',
    'Each vote that granted something, against the people whom four eyes kept out of its review',
  ],
  [
    'below_quorum',
    'Decided below quorum',
    'The votes of the deciding round counted anew, against what the policy of the review needed',
  ],
  ['after_expiry', 'Decided after expiry', 'The time of each decision, against the deadline of its review'],
  [
    'not_in_group',
    'Decided by people outside the groups that were asked',
    'The groups of each voter at the time of the vote, absences where somebody stood in, and who was given the review by name, against whom it asked',
  ],
  ['admin_override', 'Decided by admin override', 'Votes of admins who were not asked'],
  ['without_reason', 'Decided without a reason', 'The text of the reason of each decision'],
  ['automatic_decision', 'Decided by the clock', 'Decisions that no person made'],
];

/** Every check, in the order in which an auditor asks for them. */
export const controlsOf = (checkable: Checkable): Control[] => [
  ...OF_DECISIONS.map(([id, title, how]) =>
    ofDecisions(
      { id, title, how, population: checkable.decisions.register.total },
      checkable.decisions.checks.get(id),
    ),
  ),
  signatures(checkable.scanning),
  outages(checkable.scanning),
  unaccounted(checkable.coverage),
  chain(checkable.health),
  unread(checkable.previous),
];

type Head = Pick<Control, 'id' | 'title' | 'how' | 'population'>;

function ofDecisions(head: Head, checked: Checked | undefined): Control {
  const { failed = 0, noted = 0, rows = [] } = checked ?? {};
  return control(head, {
    failed,
    noted,
    file: 'data/decisions.csv',
    rows: rows.map(({ decision, remark }) => ({
      id: decision.id,
      what: decision.object ?? decision.title,
      at: iso(decision.decidedAt),
      note: remark.note,
    })),
  });
}

const control = (
  head: Head,
  found: {
    readonly failed: number;
    readonly noted?: number;
    readonly file: string;
    readonly rows: readonly Row[];
  },
): Control => ({
  ...head,
  result: found.failed > 0 ? 'fail' : (found.noted ?? 0) > 0 ? 'note' : 'pass',
  exceptions: {
    total: found.failed + (found.noted ?? 0),
    file: found.file,
    rows: found.rows.slice(0, LISTED_ROWS),
  },
});

/** It could not be looked at: no statement in either direction. */
const unknown = (head: Head, note: string): Control => ({
  ...head,
  result: 'unknown',
  exceptions: { total: 1, file: 'report.json', rows: [{ id: '', what: '', at: null, note }] },
});

const days = (ms: number): string => `${(ms / 86_400_000).toFixed(1)} days`;

function signatures({ signatureAge: age }: Scanning): Control {
  const head: Head = {
    id: 'signature_age',
    title: 'Age of the malware signatures',
    how: `The date of the signatures at each verdict, against ${days(age.limitMs)}`,
    population: age.verdicts,
  };
  const row = (what: string, note: string): Row => ({ id: '', what, at: null, note });
  return control(head, {
    failed: age.overLimit,
    noted: age.unknown,
    file: 'data/uploads.csv',
    rows: [
      ...(age.overLimit === 0
        ? []
        : [row(`${age.overLimit} verdicts`, `signatures were older; the oldest ${days(age.maxMs ?? 0)}`)]),
      ...(age.unknown === 0 ? [] : [row(`${age.unknown} verdicts`, 'the engine named no date')]),
    ],
  });
}

const outages = ({ outages: found, engines }: Scanning): Control =>
  control(
    {
      id: 'scanner_outage',
      title: 'Scanner outages',
      how: 'Verdicts that failed for want of an engine, from the first to the last in a row',
      population: engines.reduce((sum, { verdicts }) => sum + verdicts, 0),
    },
    {
      failed: found.length,
      file: 'data/uploads.csv',
      rows: found.map(({ engine, from, to, verdicts }) => ({
        id: '',
        what: engine,
        at: from,
        note: `${verdicts} verdicts until ${to}`,
      })),
    },
  );

function unaccounted({ uploaded, gaps }: Coverage): Control {
  const rows = gaps.rows.map(({ what, object, at, note }) => ({
    id: '',
    what: `${what}: ${object}`,
    at,
    note,
  }));
  return control(
    {
      id: 'uploads_unaccounted',
      title: 'Uploads not accounted for',
      how: 'What intake accepted against the ledger, and each bucket listed by itself against the ledger',
      population: uploaded,
    },
    { failed: gaps.total, file: gaps.file, rows },
  );
}

function chain({ chain: found }: Health): Control {
  const head: Head = {
    id: 'chain_broken',
    title: 'Integrity of the audit record',
    how: 'The whole chain followed from its first event, with its signed checkpoints',
    population: found.to ?? 0,
  };
  if (found.isWhole === null) return unknown(head, 'nobody verified it in this period or since');
  // Also what somebody else found, against a checkpoint that the service does not have.
  return control(head, {
    failed: found.doubts.length,
    file: 'audit.jsonl',
    rows: found.doubts.map(({ at, by, what }) => ({ id: found.id, what: `found by ${by}`, at, note: what })),
  });
}

function unread(previous: Previous | null): Control {
  const head: Head = {
    id: 'report_unread',
    title: 'The report before was read',
    how: 'The review that asks somebody to read and sign it',
    population: previous === null ? 0 : 1,
  };
  if (previous === null) return control(head, { failed: 0, file: 'report.json', rows: [] });
  const { reading, label, reportId, readAt } = previous;
  const row: Row = { id: reportId, what: label, at: readAt, note: reading };
  const isFailed = reading === 'overdue' || reading === 'expired';
  const isOpen = reading === 'open' || reading === 'none';
  return control(head, {
    failed: isFailed ? 1 : 0,
    noted: isOpen ? 1 : 0,
    file: 'report.json',
    rows: isFailed || isOpen ? [row] : [],
  });
}
