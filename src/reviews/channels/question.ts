import type { Instant } from '../../clock.js';
import { handlingOf, type Review } from '../review.js';
import { outcomeFacts } from '../rules/outcome.js';
import { isShared, type Policy } from '../rules/policy.js';
import type { Subject } from '../rules/subject.js';
import { isEnded, type Vote } from '../rules/review.js';
import { sizeText, visible } from '../../outbound/safe-text.js';
import { gapWords } from '../../verdicts/gaps.js';
import { reasonWords } from '../../verdicts/reason-words.js';

/** A line of evidence: what it is, and the stranger's text that belongs to it. */
export interface Fact {
  readonly label: string;
  readonly value: string;
  /** A name or hash, shown in a fixed-width face and never as a link. */
  readonly literal: boolean;
  /** The moment itself, where the value is one: for readers whose channel shows it in their own time zone. */
  readonly at?: Instant | undefined;
  /** How far the review is, which some channels tell at length elsewhere. */
  readonly tells?: 'due' | 'votes' | undefined;
}

export interface ShownFinding {
  readonly severity: string;
  readonly title: string;
  readonly ruleId: string;
  readonly where: string;
  /** Masked by the scanner; empty when there is none. */
  readonly excerpt: string;
}

/** A review as every channel asks it: one line texts, visible and bounded, not yet escaped. */
export interface Question {
  readonly headline: string;
  /** What it is about; empty where the headline says so itself. */
  readonly name: string;
  readonly facts: readonly Fact[];
  readonly findings: readonly ShownFinding[];
  /** Findings beyond those that are listed. */
  readonly more: number;
  readonly outcomes: readonly {
    readonly name: string;
    readonly label: string;
    readonly effect: string;
    readonly needsReason: boolean;
    readonly tone: 'primary' | 'danger' | 'neutral';
  }[];
}

const MAX_ENGINES = 6;
const MAX_GAPS = 3;

const VERDICT_TEXT: Readonly<Record<string, string>> = {
  infected: 'Malware found',
  secrets: 'Secrets found',
  suspicious: 'Suspicious content',
  encrypted: 'Encrypted: could not be looked into',
  incomplete: 'Not fully scanned',
  unsupported: 'Format not supported',
};

/** What is shown of a review, with at most `maxFindings` findings. */
export function questionOf(review: Review, maxFindings: number, dryRun: boolean): Question {
  const { subject } = review;
  const key = subject.object?.ref.key;
  const findings = subject.findings.slice(0, maxFindings).map((finding) => ({
    severity: finding.severity,
    title: visible(finding.title, 120),
    ruleId: visible(finding.ruleId, 80),
    where: visible(
      (finding.path === '' ? (key ?? '') : finding.path) +
        (finding.line === undefined ? '' : `, line ${finding.line}`),
      160,
    ),
    excerpt: visible(finding.excerpt ?? '', 120),
  }));
  return {
    headline: headlineOf(review),
    name: nameOf(review, 200),
    facts: factsOf(review),
    findings,
    more: Math.max(0, subject.findingsTotal - findings.length),
    outcomes: review.outcomes.map((name) => ({ name, ...outcomeFacts(name, handlingOf(review, dryRun)) })),
  };
}

/** The verdict in words; the title when there is none. */
export function headlineOf(review: Pick<Review, 'subject' | 'title'>): string {
  const { verdict = '' } = review.subject;
  if (Object.hasOwn(VERDICT_TEXT, verdict)) return VERDICT_TEXT[verdict] ?? '';
  return visible(verdict.trim() === '' ? review.title : verdict, 150).trim() || 'A decision is needed';
}

/** What a review is about: the object, or the title where the headline is not the title already; else empty. */
export function nameOf(review: Pick<Review, 'subject' | 'title'>, max: number): string {
  const key = review.subject.object?.ref.key;
  if (key !== undefined) return visible(key, max);
  return headlineOf(review) === visible(review.title, 150).trim() ? '' : visible(review.title, max);
}

/** `Secrets found: incoming/config`. */
export const named = (headline: string, name: string): string =>
  name === '' ? headline : `${headline}: ${name}`;

function factsOf({ subject, state, createdAt, dueAt, policy, votes }: Review): Fact[] {
  const facts: Fact[] = [];
  const add = (
    label: string,
    value: string | undefined,
    literal = false,
    more: Pick<Fact, 'at' | 'tells'> = {},
  ): void => {
    if (value !== undefined && value !== '') facts.push({ label, value, literal, ...more });
  };
  const addMoment = (label: string, at: Instant, tells?: Fact['tells']): void =>
    add(label, minuteOf(at), false, { at, tells });
  const { object } = subject;
  if (object !== undefined) {
    add('Object', visible(object.ref.key, 300), true);
    add('Bucket', visible(object.ref.bucket, 100), true);
    add('Version', object.ref.versionId === undefined ? undefined : visible(object.ref.versionId, 80), true);
    const { facts: head } = object;
    if (head !== undefined) {
      const type = head.detectedType === undefined ? '' : `, ${visible(head.detectedType, 80)}`;
      add('Size', `${sizeText(head.sizeBytes)}${type}`);
      addMoment('Uploaded', Date.parse(head.lastModified));
    }
    add('Uploaded by', uploaderText(object), object.uploader !== undefined);
  }
  add('SHA-256', subject.sha256, true);
  add(
    'Why',
    subject.reason === undefined ? undefined : visible(reasonWords(subject.verdict, subject.reason), 120),
  );
  if (subject.quarantined !== undefined)
    // Once it is decided, the workflow moves it: what was so when it was asked is no news of now.
    add(
      isEnded(state) ? 'Where it was when asked' : 'Now',
      subject.quarantined ? 'in quarantine' : 'still where it was uploaded',
    );
  add(
    'Looked at by',
    subject.engines
      ?.slice(0, MAX_ENGINES)
      .map((engine) => visible(engine, 60))
      .join(', '),
  );
  add('Not looked at', gapsText(subject), true);
  addMoment('Asked', createdAt);
  if (dueAt !== undefined) addMoment('Due', dueAt, 'due');
  if (isShared(policy)) add('Votes', votesText(policy, votes), false, { tells: 'votes' });
  return facts;
}

/** `5 parts: a.zip!b (it is encrypted); …; and 2 more`; nothing where all was looked at. */
function gapsText({ notCovered = [], notCoveredTotal = notCovered.length }: Subject): string | undefined {
  if (notCoveredTotal === 0) return undefined;
  const shown = notCovered.slice(0, MAX_GAPS);
  const parts = shown.map(
    ({ path, reason }) =>
      `${path === '' ? 'the object as a whole' : visible(path, 60)} (${visible(gapWords(reason), 70)})`,
  );
  const more = notCoveredTotal - shown.length;
  return `${notCoveredTotal} ${notCoveredTotal === 1 ? 'part' : 'parts'}: ${parts.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

/** `AWS:AROA…:alice (Alice, as an admin says)`; `unknown` where four eyes or a later answer need it and nobody knows. */
function uploaderText({
  uploader,
  uploadedBy,
}: NonNullable<Review['subject']['object']>): string | undefined {
  const principal = uploader === undefined ? undefined : visible(uploader, 120);
  const name = visible(uploadedBy?.name ?? '', 60);
  if (uploadedBy === undefined) return principal;
  switch (uploadedBy.how) {
    case 'mapped':
      return `${principal ?? ''} (${name})`.trim();
    case 'named':
      return principal === name ? principal : `${principal ?? ''} (${name})`.trim();
    case 'likely':
      return `${principal ?? ''} (perhaps ${name}; nobody said so)`.trim();
    case 'service':
      return `${principal ?? ''} (a machine)`.trim();
    case 'unknown':
      return principal === undefined ? 'unknown' : `${principal} (nobody knows who that is)`;
    default:
      return uploadedBy.how satisfies never;
  }
}

/** `2 must agree; Release by Alice`. */
function votesText(policy: Policy, votes: readonly Vote[]): string {
  const given = votes
    .slice(0, 10)
    .map(({ outcome, by, onBehalfOf }) => {
      const away = onBehalfOf === undefined ? '' : ` for ${visible(onBehalfOf.name, 60)}`;
      return `${outcomeFacts(outcome).label} by ${visible(by.name, 60)}${away}`;
    })
    .join(', ');
  return `${policy.quorum.approve} must agree; ${given === '' ? 'none voted so far' : given}`;
}

/** `2026-11-23 09:00 UTC`; empty for what is no time. */
export const minuteOf = (at: number): string =>
  Number.isFinite(at) && Math.abs(at) <= 8.64e15
    ? `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
    : '';
