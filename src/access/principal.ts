import { applyDecorators, createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import type { Actor } from '../engine/model/command.js';

/**
 * What somebody may do; each includes nothing of the others but `admin`, which includes all.
 *
 * `author` says what shall happen (definitions, rules, policies), `operator` makes it happen (executions, backlog,
 * endpoints, replays), `analyst` judges findings, `approver` decides what waits for a person, `viewer` sees all of it but
 * findings, `auditor` sees all and changes nothing, `worker` polls for tasks and reports them.
 */
export const ACCESS_ROLES = [
  'admin',
  'author',
  'operator',
  'analyst',
  'approver',
  'viewer',
  'auditor',
  'worker',
] as const;
export type AccessRole = (typeof ACCESS_ROLES)[number];

/** Those of stored roles that this version knows, each once: a newer or older one may have written others. */
export const knownRoles = (stored: readonly string[]): readonly AccessRole[] =>
  ACCESS_ROLES.filter((role) => stored.includes(role));

/** What may be held for one thing only. */
export const GRANT_ROLES = ['approver', 'owner'] as const;

export interface Grant {
  readonly role: (typeof GRANT_ROLES)[number];
  /** Of an approver, a review queue; of an owner, the id of the group whose things it may administer. */
  readonly scope: string;
}

/** Who makes the request: a person with a session or token, or an API key. */
export interface Principal {
  readonly kind: 'user' | 'apikey';
  /** Id of the user or key. */
  readonly id: string;
  readonly name: string;
  readonly email?: string | undefined;
  readonly roles: readonly AccessRole[];
  /** Roles held for one thing only, one's own and one's groups'; none when left out. */
  readonly grants?: readonly Grant[];
  /** How the identity was proved; kept with decisions. */
  readonly method: 'session' | 'token' | 'apikey' | 'auth-off';
}

export const PUBLIC_ROUTE = 'sallyport:public';
export const ROUTE_ROLES = 'sallyport:roles';

/** No login for this route; it guards itself (events token, signed link, login, health). */
export const Public = () => SetMetadata(PUBLIC_ROUTE, true);

export const ROUTE_GRANTS = 'sallyport:grants';

/**
 * Beside `@Roles()`: also who holds this role for one thing only may call. The route itself must then look whether it is
 * this one, with `mayApprove`.
 */
export const OrGrant = (role: Grant['role']) => SetMetadata(ROUTE_GRANTS, role);

export const ROUTE_OWNER = 'sallyport:owner';

/** Kinds of things that a group can own. */
export const OWNED_KINDS = ['bucket', 'queue', 'workflow', 'trigger'] as const;
export type OwnedKind = (typeof OWNED_KINDS)[number];

/** What somebody must be owner of, to be let in as such. */
export interface Owned {
  /** `bucketName`: on whichever endpoint; `grant`: of an approver, in a queue, by its id. */
  readonly kind: OwnedKind | 'bucketName' | 'grant';
  /** Of a bucket, `endpoint/bucket`. */
  readonly name: string;
  /** It may also be nobody's: used, not administered. */
  readonly orNobodys?: true;
}

/** The request as the guard has it, before anything of it was checked. */
export interface OwnerRequest {
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}
export type OwnedIn = (request: OwnerRequest) => readonly Owned[];

/**
 * Beside `@Roles()`: also an owner of the group that owns everything that the request is about may call. Takes nothing for
 * granted: what is of a wrong form is nobody's. @throws Forbidden for what no owner may do.
 */
export const OrOwner = (ownedIn: OwnedIn) => SetMetadata(ROUTE_OWNER, ownedIn);

export const SILENT_DATABASE = 'sallyport:silent-database';

/** Answers while PostgreSQL is silent: whoever was identified within the last minute still is. */
export const EvenWithoutDatabase = () => SetMetadata(SILENT_DATABASE, true);

/** Who may see everything: findings, payloads of executions, reports. A worker sees what it can name. */
export const READERS = ['author', 'operator', 'analyst', 'auditor'] as const satisfies readonly AccessRole[];

/** Who may see how things stand: lists, buckets, rules, verdicts; nothing of what was found. */
export const VIEWERS = [...READERS, 'approver', 'viewer'] as const satisfies readonly AccessRole[];

/** Who decides what waits for a person, in every review queue. */
export const DECIDERS = ['analyst', 'approver'] as const satisfies readonly AccessRole[];

/** Whether somebody has one of these roles; an admin has them all. */
export const hasRole = ({ roles }: Pick<Principal, 'roles'>, wanted: readonly AccessRole[]): boolean =>
  roles.some((role) => role === 'admin' || wanted.includes(role));

/** One of these roles (or admin) is needed; without this any logged-in principal may call. */
export const Roles = (...roles: AccessRole[]) =>
  applyDecorators(
    SetMetadata(ROUTE_ROLES, roles),
    // For whoever reads /openapi.json.
    ApiExtension('x-roles', [...roles]),
  );

/** The principal of the request; the guard made sure that there is one. */
export const CurrentPrincipal = createParamDecorator(
  (_: unknown, context: ExecutionContext): Principal =>
    context.switchToHttp().getRequest<{ principal: Principal }>().principal,
);

/** The same person for the engine's audit trail. */
export const actorOf = (principal: Principal): Actor => ({ kind: principal.kind, id: principal.id });

/** The same as the audit names it, as in `AuditEvent.actor`: `user:…`, `apikey:…`. */
export const auditActor = ({ kind, id }: Principal): string => `${kind}:${id}`;
