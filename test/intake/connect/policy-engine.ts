import type { PolicyDocument, Statement } from '../../../src/intake/connect/policy-document.js';

/** A request as IAM sees it. */
export interface PolicyRequest {
  readonly action: string;
  readonly resource: string;
  /** Absent without a signature. */
  readonly principal?: string | undefined;
  readonly existingTags: Readonly<Record<string, string>>;
  /** Of the request itself. */
  readonly requestTags: Readonly<Record<string, string>>;
}

/** As much of IAM as the generated policies use, from AWS's own description of it; anything else throws. */
export function isDenied(policy: PolicyDocument, request: PolicyRequest): boolean {
  return policy.Statement.some((statement) => statement.Effect === 'Deny' && applies(statement, request));
}

function applies(statement: Statement, request: PolicyRequest): boolean {
  const { Action, Resource, Condition = {} } = statement;
  return (
    listOf(Action).some((pattern) => like(pattern, request.action)) &&
    listOf(Resource).some((pattern) => like(pattern, request.resource)) &&
    Object.entries(Condition as Record<string, Record<string, unknown>>).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) => holds(operator, valuesOf(key, request), listOf(wanted))),
    )
  );
}

/** Negated operators hold where the key is missing; `ForAnyValue` never does. */
function holds(operator: string, values: readonly string[], wanted: readonly string[]): boolean {
  switch (operator) {
    case 'StringNotEquals':
      return values.every((value) => !wanted.includes(value));
    case 'ArnNotLike':
      return values.every((value) => !wanted.some((pattern) => like(pattern, value)));
    case 'ForAnyValue:StringEquals':
      return values.some((value) => wanted.includes(value));
    default:
      throw new Error(`the policy uses ${operator}, which this does not know`);
  }
}

function valuesOf(key: string, request: PolicyRequest): readonly string[] {
  if (key === 'aws:PrincipalArn') return request.principal === undefined ? [] : [request.principal];
  if (key === 's3:RequestObjectTagKeys') return Object.keys(request.requestTags);
  const existing = /^s3:ExistingObjectTag\/(.*)$/.exec(key)?.[1];
  if (existing === undefined) throw new Error(`the policy uses ${key}, which this does not know`);
  const value = request.existingTags[existing];
  return value === undefined ? [] : [value];
}

const listOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map(String) : [String(value)];

function like(pattern: string, value: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(value);
}
