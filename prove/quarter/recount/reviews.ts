import { count, groupBy, isIn, type ReviewRow, type Tables, type VoteRow, type Week } from './tables.js';

const DAY = 86_400_000;
const AGES = [1, 3, 7, 14, 30];

/** When a review was over, whoever ended it. */
const endOf = ({ decided_at: decided, cancelled_at: cancelled }: ReviewRow): number =>
  decided === null && cancelled === null ? Infinity : Number(decided ?? cancelled);

/** What people had to decide in a week, and how long the rest of it has waited. */
export function recountReviews({ reviews, votes, reviewEvents }: Tables, week: Week) {
  const balance = { opening: 0, created: 0, decided: 0, ended: 0, closing: 0 };
  const ageing: Record<string, number> = {};
  const sla = { met: 0, breached: 0 };
  const deeds: Record<string, number> = {};
  const open: ReviewRow[] = [];
  for (const review of reviews) {
    const created = Number(review.created_at);
    const ended = endOf(review);
    const due = review.due_at === null ? undefined : Number(review.due_at);
    if (created < week.from && ended >= week.from) balance.opening += 1;
    if (isIn(week, created)) balance.created += 1;
    // Told of by their end, whatever it was; that no person decided is a deed of the clock.
    if (review.state === 'EXPIRED' && isIn(week, ended)) count(deeds, 'auto');
    if (isIn(week, ended)) balance[review.state === 'COMPLETED' ? 'decided' : 'ended'] += 1;
    // Each once: in the week in which it was answered in time, or in which its time ran out.
    if (due !== undefined && review.state !== 'CANCELLED' && isIn(week, Math.min(ended, due)))
      sla[ended < due ? 'met' : 'breached'] += 1;
    if (created >= week.to || ended < week.to) continue;
    balance.closing += 1;
    open.push(review);
    const days = (week.to - created) / DAY;
    count(ageing, String(AGES.find((until) => days < until) ?? 'older'));
  }
  for (const { at, kind } of reviewEvents) if (isIn(week, at)) count(deeds, kind);
  for (const { at, is_override: isOverride } of votes)
    if (isOverride && isIn(week, at)) count(deeds, 'override');
  const oldest = open
    .toSorted((a, b) => Number(a.created_at) - Number(b.created_at) || (a.id < b.id ? -1 : 1))
    .slice(0, 10)
    .map(({ id }) => id);
  return { balance, ageing, sla, deeds, oldest };
}

/** Decisions of a week, and those of them against which something is to be said, by the name of the check. */
export function recountDecisions({ reviews, votes, reviewEvents }: Tables, week: Week) {
  const decided = reviews.filter(({ outcome, decided_at: at }) => outcome !== null && isIn(week, at));
  const votesOf = groupBy(votes, ({ review_id: id }) => id);
  const handedTo = new Set(
    reviewEvents
      .filter(({ kind }) => kind === 'reassigned' || kind === 'delegated')
      .map(({ review_id: id, data }) => `${id} ${data.to?.id}`),
  );
  const failed: Record<string, number> = {};
  const noted: Record<string, number> = {};
  for (const review of decided) {
    const { policy, outcome } = review;
    const isRefusal = policy.rejecting.includes(outcome ?? '');
    if (review.state === 'EXPIRED') {
      // The clock may refuse; that it grants is for people to know.
      count(policy.onExpire.action === 'APPROVE' ? failed : noted, 'automatic_decision');
      continue;
    }
    const counted = (votesOf.get(review.id) ?? []).filter(
      (vote) => vote.round === review.round && vote.withdrawn_at === null && vote.outcome === outcome,
    );
    const needed = isRefusal ? policy.quorum.reject : policy.quorum.approve;
    if (review.state === 'COMPLETED' && counted.length < needed) count(failed, 'below_quorum');
    if (review.due_at !== null && Number(review.decided_at) >= Number(review.due_at))
      count(STAY_OPEN.includes(policy.onExpire.action) ? noted : failed, 'after_expiry');
    if ((review.decision_reason ?? '').trim() === '')
      count(NEED_REASON.includes(outcome ?? '') ? failed : noted, 'without_reason');
    for (const vote of counted) {
      const isKeptOut = review.excluded.some(({ id }) => id === vote.person_id || id === vote.on_behalf_of);
      if (!isRefusal && isKeptOut) count(failed, 'self_approval');
      if (vote.is_override) count(noted, 'admin_override');
      else if (!wasAsked(review, vote))
        count(handedTo.has(`${review.id} ${vote.person_id}`) ? noted : failed, 'not_in_group');
    }
  }
  return { total: decided.length, failed, noted };
}

/** What nobody may say without saying why. */
const NEED_REASON: readonly string[] = ['release', 'skipped'];

/** Their deadline asks more people, or nobody; it ends nothing. */
const STAY_OPEN: readonly string[] = ['LEAVE_OPEN', 'ESCALATE'];

/** By name, by a group that they were in then, or by standing in for somebody. */
function wasAsked({ policy, escalated }: ReviewRow, vote: VoteRow): boolean {
  const asked = [...policy.to, ...policy.escalation.slice(0, escalated).flatMap(({ to }) => to)];
  if (asked.length === 0 || vote.on_behalf_of !== null) return true;
  return asked.some((party) =>
    party.kind === 'user' ? party.id === vote.person_id : vote.groups.includes(party.name),
  );
}
