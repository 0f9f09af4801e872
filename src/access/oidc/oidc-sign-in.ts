import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../clock.js';
import type { Config } from '../../config.js';
import type { Database } from '../../database/database.js';
import { AppError, NotFound, Overloaded, Unauthorized } from '../../errors.js';
import type { Log } from '../../ops/log.js';
import { Egress } from '../../outbound/egress/egress.js';
import type { AccessService, OpenedSession } from '../access.service.js';
import { LoginLimits } from '../login-limits.js';
import { Identities } from './identities.js';
import { SIGN_IN_MINUTES, type PendingSignIn } from './pending-sign-in.js';
import { IdentityProvider } from './provider.js';
import { SignInRefused } from './sign-in-refused.js';
import { UsedStates } from './used-states.js';

/** Lets people in whom the identity provider of the settings knows. */
export class OidcSignIn {
  private readonly limits: LoginLimits;
  private readonly used: UsedStates;
  private readonly identities: Identities;

  private constructor(
    private readonly parts: { access: AccessService; clock: Clock; log: Log; config: Config },
    db: Database,
    private readonly provider: IdentityProvider | undefined,
  ) {
    this.limits = new LoginLimits(db, parts.clock);
    this.used = new UsedStates(db, parts.clock);
    this.identities = new Identities(db, parts.clock, parts.config, parts.log);
  }

  /** @throws ConfigError when the client secret's file cannot be read. */
  static using(config: Config, db: Database, clock: Clock, log: Log, access: AccessService): OidcSignIn {
    const { AUTH, OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_ALLOWED_NETWORKS } = config;
    const isWanted = AUTH === 'on' && OIDC_ISSUER !== undefined && OIDC_CLIENT_ID !== undefined;
    const provider = isWanted
      ? new IdentityProvider(
          { ...config, OIDC_ISSUER, OIDC_CLIENT_ID },
          new Egress({ allowed: OIDC_ALLOWED_NETWORKS }),
          clock,
        )
      : undefined;
    return new OidcSignIn({ access, clock, log, config }, db, provider);
  }

  /** What the login page calls the provider; `undefined` where there is none. */
  get name(): string | undefined {
    return this.provider && (this.parts.config.OIDC_NAME ?? new URL(this.provider.issuer).host);
  }

  /** Under which its people are known here; `undefined` where there is none. */
  get issuer(): string | undefined {
    return this.provider?.issuer;
  }

  /** @throws SignInRefused; NotFound where no provider is configured. */
  async begin(returnTo: string): Promise<{ readonly url: string; readonly pending: PendingSignIn }> {
    try {
      const { url, ...begun } = await this.configured().begin();
      const expiresAt = this.parts.clock.now() + SIGN_IN_MINUTES * 60_000;
      return { url, pending: { ...begun, returnTo, expiresAt } };
    } catch (error) {
      if (error instanceof SignInRefused) this.tellLog(error);
      throw error;
    }
  }

  /**
   * Ends what {@link begin} began, once.
   * @param search the query of the address that the provider sent the browser to.
   * @throws SignInRefused
   */
  async finish(search: string, pending: PendingSignIn, address?: string): Promise<OpenedSession> {
    const provider = this.configured();
    await this.admit(address);
    try {
      if (!(await this.used.use(pending)))
        throw new SignInRefused('expired', 'A sign-in that was finished came once more.');
      const who = await provider.finish(search, pending);
      const userId = await this.identities.signIn(who);
      const opened = await this.parts.access.openSessionOf(userId, { method: 'oidc', address });
      await this.limits.succeeded({ address });
      return opened;
    } catch (error) {
      throw await this.refusal(error, address);
    }
  }

  /** Whether the browser's answer belongs to the sign-in that it began; nobody else's is looked at. */
  static belongsTo(search: string, pending: PendingSignIn): boolean {
    const state = new URLSearchParams(search).get('state') ?? '';
    return timingSafeEqual(sha256(state), sha256(pending.state));
  }

  private configured(): IdentityProvider {
    if (this.provider === undefined)
      throw new NotFound('No identity provider is configured here. Log in with a name and a password.');
    return this.provider;
  }

  private async admit(address: string | undefined): Promise<void> {
    try {
      await this.limits.attempt({ address }, (kind) =>
        this.parts.access.tellRefusal('locked', kind, address),
      );
    } catch (error) {
      if (error instanceof Overloaded) throw new SignInRefused('limited', error.message, { cause: error });
      throw error;
    }
  }

  private async refusal(error: unknown, address: string | undefined): Promise<unknown> {
    // Told by whoever opens sessions: the account was disabled a moment ago.
    if (error instanceof Unauthorized) return new SignInRefused('disabled', error.message, { cause: error });
    const isOurs = error instanceof AppError && error.status < 500;
    if (!isOurs) return error;
    const refused =
      error instanceof SignInRefused ? error : new SignInRefused('refused', error.message, { cause: error });
    // The provider's trouble is nobody's wrong try.
    if (refused.refusal === 'unavailable') await this.limits.succeeded({ address });
    this.tellLog(refused);
    const { userId } = refused;
    await this.parts.access.tellRefusal(
      `oidc_${refused.refusal}`,
      userId === undefined ? undefined : { id: userId },
      address,
    );
    return refused;
  }

  private tellLog({ refusal, message }: SignInRefused): void {
    this.parts.log.warn({ refusal, why: message }, 'a sign-in at the identity provider failed');
  }
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
