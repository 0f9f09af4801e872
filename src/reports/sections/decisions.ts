import type { ControlId } from '../data/controls.js';
import { LISTED_ROWS } from '../data/parts.js';
import type { Decisions, RegisteredDecision } from '../data/people.js';
import { drawSample } from '../population/sample.js';
import { quorumOf, remarksOn, type Remark } from './decision-checks.js';
import { decisionsById, decisionsIn, type DecisionFacts } from './decision-facts.js';
import { iso, type Asked } from './section.js';

/** What one check found among the decisions of the period. */
export interface Checked {
  failed: number;
  noted: number;
  /** Failures before remarks, each the first so many. */
  readonly rows: { readonly decision: DecisionFacts; readonly remark: Remark }[];
}

/** The decisions of the period: the register, and what each check found. */
export interface CheckedDecisions {
  readonly register: Decisions;
  readonly checks: ReadonlyMap<ControlId, Checked>;
}

/** Reads every decision of the period once. @param seed draws the same sample from the same decisions. */
export async function readDecisions(asked: Asked, seed: string): Promise<CheckedDecisions> {
  const checks = new Map<ControlId, Checked>();
  const ids: string[] = [];
  const failing: DecisionFacts[] = [];
  const first: DecisionFacts[] = [];
  for await (const page of decisionsIn(asked))
    for (const decision of page) {
      ids.push(decision.id);
      if (first.length < LISTED_ROWS) first.push(decision);
      const remarks = remarksOn(decision);
      for (const remark of remarks) note(checks, decision, remark);
      if (failing.length < LISTED_ROWS && remarks.some(({ isAllowed }) => !isAllowed)) failing.push(decision);
    }
  const sampled = new Set(drawSample(ids, seed));
  const sample = await decisionsById(asked.tx, [...sampled]);
  const rows = [...new Map([...failing, ...sample, ...first].map((one) => [one.id, one])).values()];
  return {
    register: {
      total: ids.length,
      file: 'data/decisions.csv',
      sample: { seed, size: sampled.size },
      rows: rows.slice(0, LISTED_ROWS).map((decision) => registered(decision, sampled.has(decision.id))),
    },
    checks,
  };
}

function note(checks: Map<ControlId, Checked>, decision: DecisionFacts, remark: Remark): void {
  const known = checks.get(remark.control) ?? { failed: 0, noted: 0, rows: [] };
  checks.set(remark.control, known);
  if (remark.isAllowed) known.noted += 1;
  else known.failed += 1;
  if (known.rows.length < LISTED_ROWS) known.rows.push({ decision, remark });
  else if (!remark.isAllowed) {
    // What must not be goes before what may.
    const place = known.rows.findLastIndex((row) => row.remark.isAllowed);
    if (place >= 0) known.rows[place] = { decision, remark };
  }
}

/** A decision as the register shows it. */
export const registered = (decision: DecisionFacts, isSampled: boolean): RegisteredDecision => ({
  reviewId: decision.id,
  title: decision.title,
  task: [decision.workflow, decision.taskRef].filter(Boolean).join(' / '),
  queue: decision.queue,
  object: decision.object,
  subjectDigest: decision.subjectDigest,
  sha256: decision.sha256,
  requester: requesterOf(decision),
  votes: decision.votes.map((vote) => ({
    by: vote.name,
    byId: vote.by,
    onBehalfOf: vote.onBehalfOfName ?? vote.onBehalfOf,
    outcome: vote.outcome,
    reason: vote.reason,
    via: vote.via,
    method: vote.method,
    at: iso(vote.at),
    isOverride: vote.isOverride,
    isWithdrawn: vote.withdrawnAt !== null,
  })),
  outcome: decision.outcome,
  decidedBy: decision.decidedByName,
  decidedAt: iso(decision.decidedAt),
  via: decision.via,
  method: decision.method,
  reason: decision.reason,
  quorum: quorumOf(decision),
  elapsedMs: Math.max(0, decision.decidedAt - decision.createdAt),
  definition: [decision.workflow, decision.workflowVersion]
    .filter((one) => one !== null && one !== '')
    .join(' '),
  failed: [
    ...new Set(
      remarksOn(decision)
        .filter(({ isAllowed }) => !isAllowed)
        .map(({ control }) => control),
    ),
  ],
  isSampled,
});

const requesterOf = ({ excluded, uploader }: DecisionFacts): string | null =>
  excluded.find(({ because }) => because === 'requester')?.name ??
  excluded.find(({ because }) => because === 'uploader')?.name ??
  uploader;
