import { InvalidInput } from '../../errors.js';

/** One statement of an AWS policy; what is not ours is carried along as it is. */
export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly [part: string]: unknown;
}

/** A policy of a bucket, a queue or a role. */
export interface PolicyDocument {
  readonly Version: string;
  readonly Statement: readonly Statement[];
  readonly [part: string]: unknown;
}

const EMPTY: PolicyDocument = { Version: '2012-10-17', Statement: [] };

/**
 * What AWS keeps as a policy; nothing gives an empty one. @param what it is, for the message
 * @throws InvalidInput for text that is no policy: it must not be replaced unread.
 */
export function readPolicy(text: string | undefined, what: string): PolicyDocument {
  if (text === undefined || text.trim() === '') return EMPTY;
  const refuse = (why: string) =>
    new InvalidInput(`${what} cannot be read (${why}). Mend or remove it first; nothing was changed.`);
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (error) {
    throw refuse((error as Error).message);
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read)) throw refuse('it is no JSON object');
  const { Version = '2008-10-17', Statement, ...others } = read as Record<string, unknown>;
  // A single statement may stand without its brackets.
  const statements = Array.isArray(Statement) ? (Statement as unknown[]) : [Statement];
  if (typeof Version !== 'string') throw refuse('its Version is no text');
  if (!statements.every(isStatement)) throw refuse('a statement of it has no Effect');
  return { Version, ...others, Statement: statements };
}

const isStatement = (value: unknown): value is Statement =>
  typeof value === 'object' &&
  value !== null &&
  'Effect' in value &&
  (value.Effect === 'Allow' || value.Effect === 'Deny');

/**
 * The policy with ours in it: a statement of one of our Sids is replaced where it stands, a new one comes last, and
 * nothing else changes. `superseded` are Sids of ours that are not wanted any more.
 */
export function withStatements(
  present: PolicyDocument,
  ours: readonly (Statement & { readonly Sid: string })[],
  superseded: readonly string[] = [],
): PolicyDocument {
  const wanted = new Map(ours.map((statement) => [statement.Sid, statement]));
  const kept: Statement[] = [];
  for (const statement of present.Statement) {
    const { Sid } = statement;
    const replacement = Sid === undefined ? undefined : wanted.get(Sid);
    if (Sid !== undefined && replacement !== undefined) {
      wanted.delete(Sid);
      kept.push(replacement);
    } else if (Sid === undefined || !superseded.includes(Sid)) {
      kept.push(statement);
    }
  }
  return { ...present, Statement: [...kept, ...wanted.values()] };
}
