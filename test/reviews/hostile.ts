import * as fc from 'fast-check';
import type { Review } from '../../src/reviews/review.js';
import { PLAIN_POLICY } from '../../src/reviews/rules/policy.js';
import { REVIEW_STATES, type Excluded, type Person, type Vote } from '../../src/reviews/rules/review.js';
import { subjectDigest } from '../../src/reviews/subject-digest.js';
import type { QueueFigures } from '../../src/reviews/sql/queue-figures.js';
import { exampleSubject } from './stage.js';

/** What a hostile uploader would try, mixed with everything else that is text. */
export const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '<!channel>',
        '<@U123>',
        '<https://evil.example|ok>',
        '`',
        '*',
        '_',
        '~',
        '&',
        '<',
        '>',
        '"',
        "'",
        '&lt;',
        '\u202e',
        '\u200b',
        '\n',
        '\r\n',
        '\u0000',
        '://',
        '.',
        '@here',
        'https://evil.example/a',
        'www.evil.example',
        'eve@evil.example',
        '<#C123|x>',
        '<!date^1^{date}^https://evil.example|x>',
        '```',
        '**',
        '</td>',
        '<script>',
        '😀',
        '한',
      ),
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.string({ maxLength: 200 }),
      // What takes most room once it is escaped, or made visible.
      fc.constantFrom('<', '&', '\u202e', '😀', 'x').map((one) => one.repeat(1000)),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''));

const AT = Date.UTC(2026, 10, 23);
const person = (name: string): Person => ({ id: 'p', name });

/** A review in any state, in which everything that is a text is hostile: names, findings, reasons, questions and people. */
export const hostileReview: fc.Arbitrary<Review> = fc
  .record({
    key: nasty,
    title: nasty,
    verdict: fc.option(fc.oneof(fc.constantFrom('secrets', 'infected', '__proto__'), nasty), {
      nil: undefined,
    }),
    findings: fc.array(fc.record({ title: nasty, path: nasty, excerpt: nasty, ruleId: nasty }), {
      maxLength: 20,
    }),
    total: fc.nat(5000),
    who: nasty,
    why: nasty,
    state: fc.constantFrom(...REVIEW_STATES),
    outcomes: fc.constantFrom(['release', 'delete'], ['approve'], ['a', 'b_c', 'release', 'x', 'keep']),
    voters: fc.array(nasty, { maxLength: 8 }),
    excluded: fc.array(
      fc.record({
        name: nasty,
        because: fc.constantFrom<Excluded['because']>(
          'requester',
          'uploader',
          'definitionEditor',
          'assigner',
        ),
      }),
      { maxLength: 8 },
    ),
    approve: fc.integer({ min: 1, max: 5 }),
    round: fc.integer({ min: 1, max: 3 }),
    hasDue: fc.boolean(),
    version: fc.option(nasty, { nil: undefined }),
  })
  .map((given): Review => {
    const example = exampleSubject(given.key);
    const [finding] = example.findings;
    const subject = {
      ...example,
      object: example.object && {
        ...example.object,
        ref: { ...example.object.ref, versionId: given.version },
        uploader: given.who,
        uploadedBy: { how: 'likely' as const, name: given.who },
      },
      verdict: given.verdict,
      reason: given.why,
      engines: [given.who, given.why],
      findings: given.findings.flatMap((found) => (finding === undefined ? [] : [{ ...finding, ...found }])),
      findingsTotal: given.total,
      notCovered: given.findings.map(({ path }) => ({ path, reason: 'encrypted' as const })),
      notCoveredTotal: given.total,
    };
    const { state, who, why, outcomes } = given;
    const votes = given.voters.map((name, n): Vote => ({
      by: { id: `v${n}`, name },
      onBehalfOf: n % 2 === 0 ? undefined : person(who),
      outcome: outcomes[n % outcomes.length] ?? '',
      reason: why,
      at: AT,
      via: 'web',
      method: 'session',
      groups: [],
      isOverride: false,
    }));
    const by = person(who);
    const isDecided = state === 'COMPLETED' || state === 'SKIPPED' || state === 'EXPIRED';
    const isHeld = state === 'CLAIMED' || state === 'ASSIGNED' || state === 'ON_HOLD';
    return {
      id: '0d2f5f0e-0000-4000-8000-000000000001',
      taskId: 't',
      workflowId: 'w',
      title: given.title,
      outcomes,
      subject,
      subjectDigest: subjectDigest(exampleSubject()),
      state,
      version: 1,
      policy: {
        ...PLAIN_POLICY,
        queue: 'default',
        quorum: { approve: given.approve, reject: 1, distinctGroups: given.approve > 2 },
        undetermined: given.round > 1 ? ['uploader'] : [],
      },
      round: given.round,
      votes,
      excluded: given.excluded.map((one, n) => ({ id: `x${n}`, ...one })),
      escalated: 0,
      createdAt: AT,
      updatedAt: AT,
      dueAt: given.hasDue ? AT + 86_400_000 : undefined,
      claim: isHeld ? { by, at: AT } : undefined,
      owner: state === 'ASSIGNED' ? person(why) : undefined,
      hold: state === 'ON_HOLD' ? { by, since: AT, until: AT + 1, reason: why } : undefined,
      info: state === 'INFO_REQUESTED' ? { by, since: AT, question: why } : undefined,
      decision: isDecided
        ? { outcome: outcomes[0] ?? '', by, at: AT, via: 'web', method: 'session', reason: why }
        : undefined,
      cancelled: state === 'CANCELLED' ? { at: AT, reason: why } : undefined,
    };
  });

/** How many there are of something. */
export const count = fc.nat(1_000_000);
const took = fc.record({ count, p50: fc.option(count), p90: fc.option(count) });
/** How a queue of any name stands. */
export const figures: fc.Arbitrary<QueueFigures> = fc.record({
  queue: nasty,
  waiting: count,
  unclaimed: count,
  oldestAt: fc.option(fc.constant(Date.UTC(2026, 10, 23))),
  breached: count,
  dueSoon: count,
  arrived: count,
  decided: count,
  skipped: count,
  expired: count,
  cancelled: count,
  late: count,
  secondsToClaim: took,
  secondsToDecide: took,
});
