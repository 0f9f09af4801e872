import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { jwtVerify, SignJWT } from 'jose';
import { appendAudit } from '../audit/audit.js';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import { InvalidInput, Unauthorized } from '../errors.js';
import { ApiKeys, type ApiKeyRow } from './api-keys.js';
import { LOOK_UP_MS } from './in-time.js';
import { Keyring } from './keyring.js';
import { LoginLimits } from './login-limits.js';
import { hashPassword, isPasswordHash, verifyPassword } from './password.js';
import { knownRoles, type Grant, type Principal } from './principal.js';

const SESSION_HOURS = 12;
const TOKEN_MINUTES = 60;
// Each worker process keeps one for an hour.
const VERIFIED_TOKENS = 1_000;

const sha256 = (value: string): Buffer => createHash('sha256').update(value).digest();

interface UserRow {
  id: string;
  name: string;
  email: string | null;
  password_hash: string;
  roles: readonly string[];
  grants: readonly Grant[];
  disabled: boolean;
}

/** What a login gives. */
export interface OpenedSession {
  /** The cookie's value. */
  readonly token: string;
  readonly maxAgeSeconds: number;
  readonly principal: Principal;
}

/** A person with what they and their groups may do. */
const PERSON = `
  u.id, u.name, u.email, u.password_hash, u.disabled,
  u.roles || ARRAY(
    SELECT unnest(g.roles) FROM access_group_member m JOIN access_group g ON g.id = m.group_id
    WHERE m.user_id = u.id) AS roles,
  coalesce((
    SELECT json_agg(DISTINCT jsonb_build_object('role', a.role, 'scope', a.scope)) FROM access_grant a
    WHERE (a.holder_kind = 'user' AND a.holder_id = u.id::text
           -- An owner administers what is their own group's: whoever left it does not.
           AND (a.role <> 'owner' OR a.scope IN (
             SELECT m.group_id::text FROM access_group_member m WHERE m.user_id = u.id)))
       OR (a.holder_kind = 'group' AND a.holder_id IN (
         SELECT m.group_id::text FROM access_group_member m WHERE m.user_id = u.id))), '[]') AS grants`;

/** Proves who somebody is: sessions of people, API keys and their tokens. */
@Injectable()
export class AccessService {
  private readonly limits: LoginLimits;
  private decoy: Promise<string> | undefined;
  private readonly keys: ApiKeys;
  private readonly verified = new Map<string, { subject: string; expiresAt: number }>();

  constructor(
    private readonly db: Database,
    private readonly keyring: Keyring,
    private readonly clock: Clock,
  ) {
    this.keys = new ApiKeys(db, clock);
    this.limits = new LoginLimits(db, clock);
  }

  /** Makes the first admin and API key; does nothing when any user exists. @returns whether it did. */
  async bootstrap(
    admin: { name: string; password: string; email?: string },
    apiKey: { id: string; secret: string },
  ): Promise<boolean> {
    const passwordHash = await hashPassword(admin.password);
    const at = Math.round(this.clock.now());
    const id = randomUUID();
    return this.db.transaction(async (tx) => {
      await tx.query('LOCK TABLE app_user IN EXCLUSIVE MODE');
      const [existing] = await tx.query('SELECT 1 FROM app_user LIMIT 1');
      if (existing !== undefined) {
        // Ours, when the answer to an earlier try was lost.
        const ours = await tx.query('SELECT 1 FROM api_key WHERE id = $1', [apiKey.id]);
        return ours.length > 0;
      }
      await tx.query(
        `INSERT INTO app_user (id, name, email, password_hash, roles, created_at) VALUES ($1, $2, $3, $4, '{admin}', $5)`,
        [id, admin.name, admin.email ?? null, passwordHash, at],
      );
      await tx.query(
        `INSERT INTO api_key (id, name, secret_sha256, roles, created_at) VALUES ($1, 'initial API key', $2, '{admin}', $3)`,
        [apiKey.id, sha256(apiKey.secret), at],
      );
      await appendAudit(tx, [
        {
          at,
          actor: 'system:setup',
          action: 'access.bootstrapped',
          subject: `user:${id}`,
          data: { apiKey: apiKey.id },
        },
      ]);
      return true;
    });
  }

  /**
   * @param address where the login comes from.
   * @returns the session's cookie value.
   * @throws Unauthorized; Overloaded after too many failures of the name or the address, or when too many others are
   * logging in.
   */
  async login(name: string, password: string, address?: string): Promise<OpenedSession> {
    const attempt = { name, address };
    await this.limits.attempt(attempt, (kind) => this.tellRefusal('locked', kind, address));
    const [user] = await this.db.query<UserRow>(
      `SELECT ${PERSON} FROM app_user u WHERE u.name = $1`,
      [name],
      LOOK_UP_MS,
    );
    // Unknown and known names take the same time (but for the first unknown one, which makes the decoy).
    const known = user !== undefined && isPasswordHash(user.password_hash) ? user.password_hash : undefined;
    const hash = known ?? (await this.decoyHash());
    const right = await verifyPassword(password, hash);
    if (user === undefined || !right || user.disabled) {
      const reason = user === undefined ? 'unknown_name' : user.disabled ? 'disabled' : 'wrong_password';
      await this.tellRefusal(reason, user, address);
      throw new Unauthorized('The name or the password is wrong.');
    }
    await this.limits.succeeded(attempt);
    return this.openSession(user, { method: 'password', address });
  }

  /** Lets somebody in who was proved to be this person in another way. @throws Unauthorized when they are disabled. */
  async openSessionOf(
    userId: string,
    how: { method: string; address?: string | undefined },
  ): Promise<OpenedSession> {
    const [user] = await this.db.query<UserRow>(`SELECT ${PERSON} FROM app_user u WHERE u.id = $1`, [userId]);
    if (user === undefined || user.disabled) {
      await this.tellRefusal('disabled', user, how.address);
      throw new Unauthorized('This account is disabled. An admin can enable it.');
    }
    return this.openSession(user, how);
  }

  private async openSession(
    user: UserRow,
    { method, address }: { method: string; address?: string | undefined },
  ): Promise<OpenedSession> {
    const token = randomBytes(32).toString('base64url');
    const now = Math.round(this.clock.now());
    await this.db.transaction(async (tx) => {
      // Waits for a change of this person that is under way, which would not end a session that it does not see.
      const [still] = await tx.query<{ disabled: boolean; password_hash: string }>(
        'SELECT disabled, password_hash FROM app_user WHERE id = $1 FOR SHARE',
        [user.id],
      );
      if (still === undefined || still.disabled || still.password_hash !== user.password_hash)
        throw new Unauthorized('The name or the password is wrong.');
      await tx.query('DELETE FROM app_session WHERE expires_at < $1', [now]);
      await tx.query(
        'INSERT INTO app_session (token_sha256, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)',
        [sha256(token), user.id, now, now + SESSION_HOURS * 3_600_000],
      );
      const subject = `user:${user.id}`;
      const data = { method, address: address ?? null };
      await appendAudit(tx, [{ at: now, actor: subject, action: 'session.opened', subject, data }]);
    });
    return { token, maxAgeSeconds: SESSION_HOURS * 3600, principal: person(user, 'session') };
  }

  /**
   * Records that somebody was not let in: `whom`, where that is known, or the limit that was passed. What was typed as a name
   * is not kept where it is nobody's: it may be a password.
   */
  async tellRefusal(
    reason: string,
    whom: Pick<UserRow, 'id'> | string | undefined,
    address: string | undefined,
  ): Promise<void> {
    const subject = typeof whom === 'object' ? `user:${whom.id}` : 'login:unknown';
    const data = { reason, address: address ?? null, ...(typeof whom === 'string' && { limit: whom }) };
    const at = Math.round(this.clock.now());
    await appendAudit(this.db, [{ at, actor: 'system:login', action: 'session.refused', subject, data }]);
  }

  /**
   * That somebody who is logged in knows their password, before it is changed; counted like a login.
   * @throws InvalidInput; Overloaded after too many failures.
   */
  async provePassword(name: string, password: string): Promise<void> {
    await this.limits.attempt({ name });
    const [user] = await this.db.query<{ password_hash: string }>(
      'SELECT password_hash FROM app_user WHERE name = $1',
      [name],
      LOOK_UP_MS,
    );
    if (!(await verifyPassword(password, user?.password_hash ?? '')))
      throw InvalidInput.field('presentPassword', 'is not your present password');
    await this.limits.succeeded({ name });
  }

  async logout(token: string): Promise<void> {
    await this.db.query('DELETE FROM app_session WHERE token_sha256 = $1', [sha256(token)], LOOK_UP_MS);
  }

  /** The person behind a session cookie; `undefined` when it ended. */
  async bySession(token: string): Promise<Principal | undefined> {
    const [user] = await this.db.query<UserRow>(
      `SELECT ${PERSON} FROM app_session s JOIN app_user u ON u.id = s.user_id
       WHERE s.token_sha256 = $1 AND s.expires_at > $2 AND NOT u.disabled`,
      [sha256(token), Math.round(this.clock.now())],
      LOOK_UP_MS,
    );
    return user && person(user, 'session');
  }

  /** @throws Unauthorized INVALID_TOKEN for an unknown key or wrong secret. */
  async byApiKey(id: string, secret: string): Promise<Principal> {
    const key = await this.keys.find(id);
    if (key === undefined || !timingSafeEqual(key.secret_sha256, sha256(secret))) {
      throw new Unauthorized('The key id or secret is wrong.', 'INVALID_TOKEN');
    }
    this.keys.used(key);
    return holder(key, 'apikey');
  }

  /** A JWT for `X-Authorization`, as Conductor's SDKs use it. */
  async issueToken(keyId: string, keySecret: string): Promise<string> {
    const principal = await this.byApiKey(keyId, keySecret);
    const { id, key } = this.keyring.for('jwt');
    const now = Math.floor(this.clock.now() / 1000);
    return new SignJWT({})
      .setProtectedHeader({ alg: 'HS256', kid: id })
      .setSubject(principal.id)
      .setIssuer('sallyport')
      .setIssuedAt(now)
      .setExpirationTime(now + TOKEN_MINUTES * 60)
      .sign(key);
  }

  /** @throws Unauthorized with EXPIRED_TOKEN or INVALID_TOKEN, on which the SDKs ask for a new one. */
  async byToken(token: string): Promise<Principal> {
    const subject = await this.subjectOf(token);
    const key = await this.keys.find(subject);
    if (key === undefined)
      throw new Unauthorized('The API key of this token no longer exists.', 'INVALID_TOKEN');
    this.keys.used(key);
    return holder(key, 'token');
  }

  /** Whose token it is; its signature is looked at once. */
  private async subjectOf(token: string): Promise<string> {
    const known = this.verified.get(token);
    if (known !== undefined && known.expiresAt > this.clock.now()) return known.subject;
    this.verified.delete(token);
    try {
      const verified = await jwtVerify(
        token,
        (header) => {
          const key = header.kid === undefined ? undefined : this.keyring.named(header.kid);
          if (key === undefined || !key.id.startsWith('jwt-'))
            throw new Unauthorized('The token was signed with an unknown key.', 'INVALID_TOKEN');
          return key.key;
        },
        { algorithms: ['HS256'], issuer: 'sallyport', currentDate: new Date(this.clock.now()) },
      );
      const { sub: subject = '', exp = 0 } = verified.payload;
      for (const oldest of this.verified.keys()) {
        if (this.verified.size < VERIFIED_TOKENS) break;
        this.verified.delete(oldest);
      }
      this.verified.set(token, { subject, expiresAt: exp * 1000 });
      return subject;
    } catch (error) {
      const expired = (error as { code?: string }).code === 'ERR_JWT_EXPIRED';
      throw new Unauthorized(
        expired ? 'The token has expired. Ask /api/token for a new one.' : 'The token is not valid.',
        expired ? 'EXPIRED_TOKEN' : 'INVALID_TOKEN',
        { cause: error },
      );
    }
  }

  private decoyHash(): Promise<string> {
    this.decoy ??= hashPassword(randomBytes(16).toString('hex')).catch((error: unknown) => {
      this.decoy = undefined;
      throw error;
    });
    return this.decoy;
  }
}

const person = (user: UserRow, method: Principal['method']): Principal => ({
  kind: 'user',
  id: user.id,
  name: user.name,
  email: user.email ?? undefined,
  roles: knownRoles(user.roles),
  grants: user.grants,
  method,
});

const holder = ({ id, name, roles, grants }: ApiKeyRow, method: Principal['method']): Principal => ({
  kind: 'apikey',
  id,
  name,
  roles: knownRoles(roles),
  grants,
  method,
});
