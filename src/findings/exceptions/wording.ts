import type { Exception, ExceptionKind, Target } from './exception.js';

const ASKED: Readonly<Record<ExceptionKind, string>> = {
  suppressed: 'Suppress',
  false_positive: 'Take as no danger',
  accepted_risk: 'Bear the risk of',
};

/** What it answers for, for people. The names in it may be anybody's. */
export function targetWords({ scope, ruleId, bucket, key, memberPath, keyPrefix }: Target): string {
  switch (scope) {
    case 'finding':
      return `${ruleId} in s3://${bucket}/${key}${memberPath === undefined || memberPath === '' ? '' : `!${memberPath}`}`;
    case 'secret':
      return `this secret of ${ruleId}, wherever it is found`;
    case 'rule':
      return `everything that ${ruleId} finds in s3://${bucket}/${keyPrefix ?? ''}`;
    default:
      return scope satisfies never;
  }
}

/** The question that the second person answers. */
export const questionOf = ({ kind, target, expiresAt, reason }: Exception): string =>
  `${ASKED[kind]} ${targetWords(target)}, until ${dayOf(expiresAt)}? Reason given: ${reason}`;

export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);
