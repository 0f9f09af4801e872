import { VERDICTS } from '../../verdicts/verdict.js';
import type { ReportData } from '../data/report-data.js';
import { counted, whole } from './words.js';

export interface Term {
  readonly count: number;
  readonly label: string;
  /** Before it; the first of a side has none. */
  readonly sign?: '+' | '−';
}

/** Two sides that must be equal, each counted for itself. */
export interface Equation {
  readonly title: string;
  readonly left: readonly Term[];
  readonly right: readonly Term[];
  readonly holds: boolean;
  /** `adds up`, or what is missing. */
  readonly result: string;
}

const sum = (terms: readonly Term[]): number =>
  terms.reduce((total, { count, sign }) => (sign === '−' ? total - count : total + count), 0);

const withSigns = (terms: readonly Term[]): Term[] =>
  terms.map((term, index) => (index === 0 ? term : { ...term, sign: term.sign ?? '+' }));

function equation(
  title: string,
  left: readonly Term[],
  right: readonly Term[],
  addsUp: boolean,
  missing = (gap: number): string => `the sides differ by ${whole(Math.abs(gap))}`,
): Equation {
  const sides = { left: withSigns(left), right: withSigns(right) };
  const gap = sum(sides.left) - sum(sides.right);
  // Of the two, whichever doubts is believed.
  const holds = addsUp && gap === 0;
  const result = holds ? 'adds up' : gap === 0 ? 'the figures do not add up' : missing(gap);
  return { title, ...sides, holds, result };
}

const term = (count: number, label: string, sign?: Term['sign']): Term =>
  sign === undefined ? { count, label } : { count, label, sign };

/** uploaded = what became of each. */
export function coverageEquation({ coverage }: ReportData): Equation {
  const { uploaded, copies, byVerdict, addsUp } = coverage;
  const hasCopies = copies.opened > 0 || copies.accountedFor > 0;
  const verdicts = VERDICTS.filter((verdict) => byVerdict[verdict] > 0).map((verdict) =>
    term(byVerdict[verdict], verdict),
  );
  const copied = (count: number) => (hasCopies ? [term(count, 'written by releases')] : []);
  return equation(
    'Uploads and their verdicts',
    [term(uploaded, 'uploaded'), ...copied(copies.opened)],
    [...(verdicts.length === 0 ? [term(0, 'with a verdict')] : verdicts), ...copied(copies.accountedFor)],
    addsUp,
    (gap) =>
      gap > 0
        ? `${counted(gap, 'upload')} not accounted for`
        : `${counted(-gap, 'verdict')} more than there are uploads`,
  );
}

export const pendingEquation = ({ coverage: { pending } }: ReportData): Equation =>
  equation(
    'What waits for its verdict',
    [
      term(pending.opening, 'waited before'),
      term(pending.uploaded, 'uploaded'),
      term(pending.settled, 'got a verdict', '−'),
    ],
    [term(pending.closing, 'wait at the end')],
    pending.addsUp,
  );

/** What the bucket lists = what the ledger knows of it. */
export const inventoryEquation = (row: ReportData['coverage']['inventory'][number]): Equation =>
  equation(
    `Bucket ${row.bucket} as listed by itself`,
    [term(row.listed, 'in the bucket')],
    [
      term(row.known, 'in the ledger'),
      term(row.missing, 'that no event told of'),
      term(row.young, 'too young to be missed'),
      term(row.older, 'from before it was watched'),
    ].filter(({ count }, index) => index === 0 || count > 0),
    row.addsUp,
    (gap) => `${counted(Math.abs(gap), 'object')} ${gap > 0 ? 'unexplained' : 'counted twice'}`,
  );

export const findingsEquation = ({ findings: { balance } }: ReportData): Equation =>
  equation(
    'Findings',
    [
      term(balance.opening, 'open before'),
      term(balance.new, 'new'),
      term(balance.reopened, 'reopened'),
      term(balance.closed, 'closed', '−'),
    ],
    [term(balance.closing, 'open at the end')],
    balance.addsUp,
  );

export const reviewsEquation = ({ people: { balance } }: ReportData): Equation =>
  equation(
    'Reviews',
    [
      term(balance.opening, 'open before'),
      term(balance.created, 'opened'),
      term(balance.decided, 'decided', '−'),
      term(balance.ended, 'ended otherwise', '−'),
    ],
    [term(balance.closing, 'open at the end')],
    balance.addsUp,
  );

/** All equations of a report. */
export const equationsOf = (data: ReportData): Equation[] => [
  coverageEquation(data),
  pendingEquation(data),
  ...data.coverage.inventory.filter(({ state }) => state === 'compared').map(inventoryEquation),
  findingsEquation(data),
  reviewsEquation(data),
];

/** `2 uploaded = 1 clean + 1 infected`, in one line. */
export const equationText = ({ left, right }: Equation): string => `${sideText(left)} = ${sideText(right)}`;

const sideText = (terms: readonly Term[]): string =>
  terms
    .map(({ count, label, sign }) => `${sign === undefined ? '' : `${sign} `}${whole(count)} ${label}`)
    .join(' ');
