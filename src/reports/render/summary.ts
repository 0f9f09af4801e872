import type { SectionId } from '../data/controls.js';
import type { ReportData } from '../data/report-data.js';
import type { Tone } from './document.js';
import { coverageEquation, equationsOf } from './equation.js';
import { counted, minute, percent, periodWord, whole } from './words.js';

export interface KeyNumber {
  readonly label: string;
  readonly value: string;
  readonly note: string;
  readonly tone: Tone;
}

/** Something that somebody has to do, or may want to look at. */
export interface Need {
  readonly what: string;
  readonly section: SectionId;
  readonly mustBeDone: boolean;
}

export interface Summary {
  readonly isAllRight: boolean;
  /** Whether it was all right, and what needs somebody. */
  readonly sentences: readonly [string, string];
  /** Five. */
  readonly numbers: readonly KeyNumber[];
  /** What must be done first. */
  readonly needs: readonly Need[];
}

/** What a report says on its first screen and in its mail. */
export function summaryOf(data: ReportData): Summary {
  const needs = needsOf(data);
  const musts = needs.filter(({ mustBeDone }) => mustBeDone);
  return {
    isAllRight: musts.length === 0,
    sentences: [firstSentence(data, musts.length), secondSentence(musts, needs)],
    numbers: numbersOf(data),
    needs,
  };
}

function firstSentence(data: ReportData, musts: number): string {
  const word = periodWord(data.kind);
  const { coverage, controls } = data;
  const soFar = data.period.complete
    ? ''
    : ` The ${word} was not over when it was looked at: these are the figures so far.`;
  if (musts > 0) return `The ${word} was not all right.${soFar}`;
  const uploads =
    coverage.uploaded === 0
      ? 'nothing was uploaded'
      : `${coverage.uploaded === 1 ? 'the one upload is' : `all ${whole(coverage.uploaded)} uploads are`} accounted for`;
  const noted = controls.filter(({ result }) => result !== 'pass').length;
  const checks =
    controls.length === 0 ? '' : noted === 0 ? ' and every check passed' : ` and no check failed`;
  return `The ${word} was all right: ${uploads}${checks}.${soFar}`;
}

function secondSentence(musts: readonly Need[], needs: readonly Need[]): string {
  if (needs.length === 0) return 'Nothing needs anybody.';
  const listed = (some: readonly Need[]): string => {
    const named = some.slice(0, 2).map(({ what }) => what);
    return `${named.join('; ')}${some.length > named.length ? `; and ${whole(some.length - named.length)} more` : ''}`;
  };
  if (musts.length === 0) return `Worth a look: ${listed(needs)}.`;
  return `${musts.length === 1 ? 'One thing needs' : `${whole(musts.length)} things need`} somebody: ${listed(musts)}.`;
}

/** How many uploads the equations leave open. */
const unaccounted = ({ coverage }: ReportData): number =>
  Math.max(Math.abs(coverage.gap), coverage.gaps.total);

function numbersOf(data: ReportData): KeyNumber[] {
  const { coverage, findings, people, controls } = data;
  const failed = controls.filter(({ result }) => result === 'fail').length;
  const unknown = controls.filter(({ result }) => result === 'unknown').length;
  const breached = people.sla.reduce((sum, row) => sum + row.breached, 0);
  return [
    {
      label: 'uploads',
      value: whole(coverage.uploaded),
      note: `${percent(coverage.groups.clean, coverage.accountedFor)} clean, ${whole(coverage.groups.found)} with something found`,
      tone: 'soft',
    },
    {
      label: 'not accounted for',
      value: whole(unaccounted(data)),
      note: coverageEquation(data).holds ? 'every upload has its verdict' : coverageEquation(data).result,
      tone: unaccounted(data) === 0 && coverageEquation(data).holds ? 'good' : 'bad',
    },
    {
      label: 'findings open',
      value: whole(findings.balance.closing),
      note: `${whole(findings.balance.new)} new, ${whole(findings.balance.closed)} closed`,
      tone: 'soft',
    },
    {
      label: 'reviews open',
      value: whole(people.balance.closing),
      note: `${whole(people.balance.decided)} decided, ${whole(breached)} past ${breached === 1 ? 'its' : 'their'} deadline`,
      tone: breached === 0 ? 'soft' : 'warn',
    },
    {
      label: 'checks failed',
      value: whole(failed),
      note: `of ${whole(controls.length)}${unknown === 0 ? '' : `, ${whole(unknown)} could not be looked at`}`,
      tone: failed > 0 ? 'bad' : unknown > 0 ? 'warn' : 'good',
    },
  ];
}

function needsOf(data: ReportData): Need[] {
  const { coverage, controls, findings, people, exceptions, health, restated } = data;
  const must: Need[] = [];
  const look: Need[] = [];
  const has = (id: string): boolean =>
    controls.some((control) => control.id === id && control.result === 'fail');

  const coverageTitle = coverageEquation(data).title;
  for (const equation of equationsOf(data)) {
    // The check says the same, and has the rows.
    if (equation.holds || (equation.title === coverageTitle && has('uploads_unaccounted'))) continue;
    const section =
      equation.title === 'Findings' ? 'findings' : equation.title === 'Reviews' ? 'people' : 'coverage';
    must.push({ what: `${equation.title}: ${equation.result}`, section, mustBeDone: true });
  }
  for (const control of controls) {
    const rows = control.exceptions.total;
    if (control.result === 'fail')
      must.push({
        what: `Check failed: ${control.title} (${counted(rows, 'case')})`,
        section: 'controls',
        mustBeDone: true,
      });
    if (control.result === 'unknown')
      look.push({ what: `Could not be checked: ${control.title}`, section: 'controls', mustBeDone: false });
    if (control.result === 'note' && rows > 0)
      look.push({
        what: `Noted: ${control.title} (${counted(rows, 'case')})`,
        section: 'controls',
        mustBeDone: false,
      });
  }
  if (coverage.gaps.total > 0 && !has('uploads_unaccounted'))
    must.push({
      what: `${counted(coverage.gaps.total, 'gap')} in the coverage`,
      section: 'coverage',
      mustBeDone: true,
    });
  for (const row of coverage.inventory.filter(({ state }) => state === 'failed'))
    must.push({ what: `Bucket ${row.bucket} could not be listed`, section: 'coverage', mustBeDone: true });
  if (data.scanning.outages.length > 0 && !has('scanner_outage'))
    look.push({
      what: counted(data.scanning.outages.length, 'scanner outage'),
      section: 'scanning',
      mustBeDone: false,
    });
  if (health.chain.isWhole === false && !has('chain_broken'))
    must.push({ what: 'The audit record is broken', section: 'health', mustBeDone: true });
  const { previous } = data;
  if (previous !== null && ['overdue', 'expired'].includes(previous.reading) && !has('report_unread'))
    must.push({
      what: `Nobody read report ${previous.label} in time`,
      section: 'previous',
      mustBeDone: true,
    });

  const add = (count: number, what: string, section: SectionId): void => {
    if (count > 0) look.push({ what, section, mustBeDone: false });
  };
  for (const { bucket } of coverage.inventory.filter(({ state }) => state === 'not_compared'))
    add(1, `Not compared with its own listing: bucket ${bucket}`, 'coverage');
  const breached = people.sla.reduce((sum, row) => sum + row.breached, 0);
  add(breached, `${counted(breached, 'review')} past the deadline`, 'people');
  const oldest = people.oldest[0];
  const late = people.ageing
    .filter(({ fromDays }) => fromDays >= 14)
    .reduce((sum, row) => sum + row.count, 0);
  if (oldest !== undefined)
    add(
      late,
      `${counted(late, 'review')} open for 14 days or more, the oldest since ${minute(oldest.openedAt)}`,
      'people',
    );
  const severe = findings.open
    .filter(({ severity }) => severity === 'critical')
    .reduce((sum, row) => sum + row.count, 0);
  add(severe, `${counted(severe, 'critical finding')} open`, 'findings');
  add(
    exceptions.expiring,
    `${counted(exceptions.expiring, 'exception')} expiring within 14 days`,
    'exceptions',
  );
  add(health.deadLetters.open, `${counted(health.deadLetters.open, 'dead letter')} open`, 'health');
  const unsent = health.notifications.reduce((sum, row) => sum + row.failed, 0);
  add(unsent, `${counted(unsent, 'notification')} not delivered`, 'health');
  add(restated.length, `${counted(restated.length, 'figure')} of earlier reports restated`, 'restated');
  if (data.scanning.signatureAge.unknown > 0)
    add(
      data.scanning.signatureAge.unknown,
      `${counted(data.scanning.signatureAge.unknown, 'verdict')} with signatures of unknown age`,
      'scanning',
    );
  return [...must, ...look];
}
