import type { Owned, OwnerRequest } from '../access/principal.js';

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The rule that an address names. */
export const ruleNamed = ({ params }: OwnerRequest): readonly Owned[] => [
  { kind: 'trigger', name: textOf(params['name']) },
];

/**
 * What somebody must be owner of to write a rule: the rule itself, the one bucket whose uploads it is about, and the
 * workflows that it starts, where these belong to a group at all. A rule about any bucket, or about many by their first
 * letters, would reach what is of others.
 */
export function writtenRule({ params, body }: OwnerRequest): readonly Owned[] {
  const rule = (typeof body === 'object' && body !== null ? body : {}) as Readonly<Record<string, unknown>>;
  const shares: unknown[] = Array.isArray(rule['shares']) ? rule['shares'] : [];
  const started = [rule, ...shares].flatMap((one) => {
    const workflow = (one as { workflow?: unknown } | null)?.workflow;
    return workflow === undefined ? [] : [textOf(workflow)];
  });
  return [
    { kind: 'trigger', name: textOf(params['name'] ?? rule['name']) },
    { kind: 'bucketName', name: textOf(rule['bucket']) },
    ...started.map((name): Owned => ({ kind: 'workflow', name, orNobodys: true })),
  ];
}
