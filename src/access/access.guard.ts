import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { CONFIG, type Config } from '../config.js';
import { Forbidden, Unauthorized } from '../errors.js';
import { AccessService } from './access.service.js';
import { inTime } from './in-time.js';
import { Ownership } from './ownership.js';
import {
  hasRole,
  PUBLIC_ROUTE,
  ROUTE_GRANTS,
  ROUTE_OWNER,
  ROUTE_ROLES,
  SILENT_DATABASE,
  type AccessRole,
  type Grant,
  type OwnedIn,
  type OwnerRequest,
  type Principal,
} from './principal.js';
import { RecentIdentities } from './recent-identities.js';

export const SESSION_COOKIE = 'sallyport_session';

const WITHOUT_LOGIN: Principal = {
  kind: 'user',
  id: 'auth-off',
  name: 'auth off',
  roles: ['admin'],
  method: 'auth-off',
};

/** Every route needs a principal unless it is marked `@Public()`; `@Roles()` narrows it down. */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly recent = new RecentIdentities();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly access: AccessService,
    private readonly reflector: Reflector,
    private readonly ownership: Ownership,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    const request = context.switchToHttp().getRequest<FastifyRequest & { principal?: Principal }>();
    const isPublic = this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC_ROUTE, targets) ?? false;
    if (isPublic) return true;
    const isNeeded = this.reflector.getAllAndOverride<boolean | undefined>(SILENT_DATABASE, targets) ?? false;
    const principal = await (isNeeded
      ? this.recent.identify(credentialsOf(request), () => this.identify(request))
      : this.identify(request));
    request.principal = principal;
    const roles = this.reflector.getAllAndOverride<AccessRole[] | undefined>(ROUTE_ROLES, targets);
    const grant = this.reflector.getAllAndOverride<Grant['role'] | undefined>(ROUTE_GRANTS, targets);
    const holds = grant !== undefined && principal.grants?.some(({ role }) => role === grant) === true;
    if (roles === undefined || hasRole(principal, roles) || holds) return true;
    const ownedIn = this.reflector.getAllAndOverride<OwnedIn | undefined>(ROUTE_OWNER, targets);
    if (ownedIn !== undefined && (await this.isOwner(principal, ownedIn, request))) return true;
    const orOwner = ownedIn === undefined ? '' : ', or a grant of owner in the group that owns it';
    throw new Forbidden(
      `This needs the role ${roles.join(' or ')}${orOwner}; ${principal.name} has ${principal.roles.join(', ') || 'none'}.`,
    );
  }

  private async isOwner(principal: Principal, ownedIn: OwnedIn, request: FastifyRequest): Promise<boolean> {
    if (principal.grants?.some(({ role }) => role === 'owner') !== true) return false;
    const { params, query, body } = request as unknown as OwnerRequest;
    return this.ownership.covers(principal, ownedIn({ params, query, body }));
  }

  /** The principal of a request, however it was proved. @throws Unauthorized; Unavailable while PostgreSQL does not say. */
  async identify(request: FastifyRequest): Promise<Principal> {
    return this.config.AUTH === 'off' ? WITHOUT_LOGIN : await inTime(this.lookUp(request));
  }

  private async lookUp(request: FastifyRequest): Promise<Principal> {
    const token = request.headers['x-authorization'];
    if (typeof token === 'string') return this.access.byToken(token);
    const authorization = request.headers.authorization;
    if (authorization !== undefined) return this.byAuthorization(authorization);
    const session = request.cookies[SESSION_COOKIE];
    const principal = session === undefined ? undefined : await this.access.bySession(session);
    if (principal !== undefined) return principal;
    throw new Unauthorized(
      'Log in first, or send an API key: Authorization: Basic keyId:keySecret, or X-Authorization with a token from /api/token.',
    );
  }

  private async byAuthorization(header: string): Promise<Principal> {
    const [scheme = '', value = ''] = header.split(' ', 2);
    if (scheme.toLowerCase() === 'bearer') return this.access.byToken(value);
    if (scheme.toLowerCase() === 'basic') {
      const [id, secret] = splitOnce(Buffer.from(value, 'base64').toString('utf8'), ':');
      return this.access.byApiKey(id, secret);
    }
    throw new Unauthorized(
      `Authorization: the scheme must be Basic (keyId:keySecret) or Bearer (a token from /api/token).`,
    );
  }
}

/** What proves who asks; the kinds of proof do not mix. */
const credentialsOf = ({ headers, cookies }: FastifyRequest): string =>
  JSON.stringify([headers['x-authorization'], headers.authorization, cookies[SESSION_COOKIE]]);

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
