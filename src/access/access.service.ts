import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { jwtVerify, SignJWT } from 'jose';
import { appendAudit } from '../audit/audit.js';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import { Overloaded, Unauthorized } from '../errors.js';
import { ApiKeys } from './api-keys.js';
import { LOOK_UP_MS } from './in-time.js';
import { Keyring } from './keyring.js';
import { hashPassword, verifyPassword } from './password.js';
import type { AccessRole, Principal } from './principal.js';

const SESSION_HOURS = 12;
const TOKEN_MINUTES = 60;
const FAILURES_ALLOWED = 10;
const FAILURE_WINDOW_MS = 15 * 60_000;
// More names than people; a flood of invented ones must not grow memory.
const FAILURE_ENTRIES = 10_000;
// Each worker process keeps one for an hour.
const VERIFIED_TOKENS = 1_000;

const sha256 = (value: string): Buffer => createHash('sha256').update(value).digest();

interface UserRow {
  id: string;
  name: string;
  email: string | null;
  password_hash: string;
  roles: AccessRole[];
  disabled: boolean;
}

/** Proves who somebody is: sessions of people, API keys and their tokens. */
@Injectable()
export class AccessService {
  private readonly failures = new Map<string, { count: number; since: number }>();
  private decoy: Promise<string> | undefined;
  private readonly keys: ApiKeys;
  private readonly verified = new Map<string, { subject: string; expiresAt: number }>();

  constructor(
    private readonly db: Database,
    private readonly keyring: Keyring,
    private readonly clock: Clock,
  ) {
    this.keys = new ApiKeys(db, clock);
  }

  /** Makes the first admin and API key; does nothing when any user exists. @returns whether it did. */
  async bootstrap(
    admin: { name: string; password: string; email?: string },
    apiKey: { id: string; secret: string },
  ): Promise<boolean> {
    const passwordHash = await hashPassword(admin.password);
    const at = Math.round(this.clock.now());
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
        [randomUUID(), admin.name, admin.email ?? null, passwordHash, at],
      );
      await tx.query(
        `INSERT INTO api_key (id, name, secret_sha256, roles, created_at) VALUES ($1, 'first key', $2, '{admin}', $3)`,
        [apiKey.id, sha256(apiKey.secret), at],
      );
      await appendAudit(tx, [
        {
          at,
          actor: 'system:setup',
          action: 'access.bootstrapped',
          subject: `user:${admin.name}`,
          data: { apiKey: apiKey.id },
        },
      ]);
      return true;
    });
  }

  /**
   * @returns the session's cookie value.
   * @throws Unauthorized; Overloaded after too many failures for the name, or when too many others are logging in.
   */
  async login(
    name: string,
    password: string,
  ): Promise<{ token: string; maxAgeSeconds: number; principal: Principal }> {
    this.refuseGuessing(name);
    // Counted before the password is looked at: of many guesses sent at once only so many are.
    this.countFailure(name);
    const [user] = await this.db.query<UserRow>('SELECT * FROM app_user WHERE name = $1', [name], LOOK_UP_MS);
    // Unknown and known names take the same time (but for the first unknown one, which makes the decoy).
    const hash = user?.password_hash ?? (await this.decoyHash());
    const right = await verifyPassword(password, hash);
    if (user === undefined || !right || user.disabled) {
      throw new Unauthorized('The name or the password is wrong.');
    }
    this.failures.delete(name);
    const token = randomBytes(32).toString('base64url');
    const now = Math.round(this.clock.now());
    await this.db.transaction(async (tx) => {
      await tx.query('DELETE FROM app_session WHERE expires_at < $1', [now]);
      await tx.query(
        'INSERT INTO app_session (token_sha256, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)',
        [sha256(token), user.id, now, now + SESSION_HOURS * 3_600_000],
      );
      await appendAudit(tx, [
        { at: now, actor: `user:${user.id}`, action: 'session.opened', subject: `user:${user.id}`, data: {} },
      ]);
    });
    return { token, maxAgeSeconds: SESSION_HOURS * 3600, principal: person(user, 'session') };
  }

  async logout(token: string): Promise<void> {
    await this.db.query('DELETE FROM app_session WHERE token_sha256 = $1', [sha256(token)], LOOK_UP_MS);
  }

  /** The person behind a session cookie; `undefined` when it ended. */
  async bySession(token: string): Promise<Principal | undefined> {
    const [user] = await this.db.query<UserRow>(
      `SELECT u.* FROM app_session s JOIN app_user u ON u.id = s.user_id
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
    return { kind: 'apikey', id: key.id, name: key.name, roles: key.roles, method: 'apikey' };
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
    return { kind: 'apikey', id: key.id, name: key.name, roles: key.roles, method: 'token' };
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

  /** People who may answer reviews, with their addresses where known. */
  async reviewers(): Promise<readonly { personId: string; name: string; email: string | undefined }[]> {
    const rows = await this.db.query<{ id: string; name: string; email: string | null }>(
      `SELECT id, name, email FROM app_user WHERE NOT disabled AND roles && '{admin,analyst}' ORDER BY name LIMIT 1000`,
    );
    return rows.map((row) => ({ personId: row.id, name: row.name, email: row.email ?? undefined }));
  }

  private decoyHash(): Promise<string> {
    this.decoy ??= hashPassword(randomBytes(16).toString('hex')).catch((error: unknown) => {
      this.decoy = undefined;
      throw error;
    });
    return this.decoy;
  }

  private refuseGuessing(name: string): void {
    const entry = this.failures.get(name);
    if (entry === undefined) return;
    const left = entry.since + FAILURE_WINDOW_MS - this.clock.now();
    if (left <= 0) this.failures.delete(name);
    else if (entry.count >= FAILURES_ALLOWED) {
      throw new Overloaded(
        `Too many failed logins for this name. Try again in ${Math.ceil(left / 60_000)} minutes.`,
        Math.ceil(left / 1000),
      );
    }
  }

  private countFailure(name: string): void {
    const entry = this.failures.get(name);
    if (entry !== undefined) entry.count += 1;
    else {
      const oldest = this.failures.keys().next();
      if (this.failures.size >= FAILURE_ENTRIES && !oldest.done) this.failures.delete(oldest.value);
      this.failures.set(name, { count: 1, since: this.clock.now() });
    }
  }
}

const person = (user: UserRow, method: Principal['method']): Principal => ({
  kind: 'user',
  id: user.id,
  name: user.name,
  email: user.email ?? undefined,
  roles: user.roles,
  method,
});
