import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { appendAudit } from '../../audit/audit.js';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { Conflict, InvalidInput, NotFound } from '../../errors.js';
import { Accounts } from './accounts.js';
import { resolveUploader, type Identity, type Uploader } from './resolve.js';
import {
  deleteIdentity,
  identitiesOf,
  insertIdentity,
  listIdentities,
  type StoredIdentity,
} from './sql/identities.js';

/** Whoever needs more has patterns to write, not principals. */
export const MAX_IDENTITIES = 5_000;

/** Who uploaded an object, as far as it is known; and what admins say of principals. */
@Injectable()
export class Uploaders {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly accounts: Accounts,
  ) {}

  /** @param isTold by a definition; else it is the principal that an event named. */
  async resolve(said: string | undefined, isTold = false): Promise<Uploader> {
    const principal = said?.trim() ?? '';
    if (principal === '') return resolveUploader(undefined, [], []);
    return resolveUploader(
      principal,
      await identitiesOf(this.db, [principal]),
      await this.accounts.list(),
      isTold,
    );
  }

  list(): Promise<readonly StoredIdentity[]> {
    return listIdentities(this.db, MAX_IDENTITIES);
  }

  /** @throws InvalidInput for an account that is nobody's; Conflict naming who said something of this principal before. */
  async add(identity: Identity & { readonly note: string }, actor: string): Promise<StoredIdentity> {
    if (identity.kind === 'user' && !(await this.accounts.list()).some(({ id }) => id === identity.target))
      throw InvalidInput.field('target', 'is not the id of an account; see GET /api/v1/users');
    const stored: StoredIdentity = {
      ...identity,
      id: randomUUID(),
      createdAt: Math.round(this.clock.now()),
      createdBy: actor,
    };
    await this.db.transaction(async (tx) => {
      if (!(await insertIdentity(tx, stored, MAX_IDENTITIES))) throw await this.refused(identity.principal);
      await appendAudit(tx, [event('added', stored, actor, stored.createdAt)]);
    });
    return stored;
  }

  /** @throws NotFound */
  async remove(id: string, actor: string): Promise<void> {
    const at = Math.round(this.clock.now());
    await this.db.transaction(async (tx) => {
      const gone = await deleteIdentity(tx, id);
      if (gone === undefined) throw new NotFound(`No uploader identity ${id}. It may be removed already.`);
      await appendAudit(tx, [event('removed', gone, actor, at)]);
    });
  }

  private async refused(principal: string): Promise<Conflict> {
    const known = (await identitiesOf(this.db, [principal])).find((one) => one.principal === principal);
    if (known === undefined)
      return new Conflict(
        `There are ${MAX_IDENTITIES} already. Replace principals by a beginning with a star.`,
      );
    const at = new Date(known.createdAt).toISOString();
    return new Conflict(
      `${known.createdBy} said at ${at} who this principal is (${known.kind}). Remove that first.`,
      { id: known.id, by: known.createdBy, at },
    );
  }
}

const event = (verb: 'added' | 'removed', identity: StoredIdentity, actor: string, at: number) => ({
  at,
  actor,
  action: `uploader_identity.${verb}`,
  subject: `uploader_identity:${identity.id}`,
  data: {
    principal: identity.principal,
    kind: identity.kind,
    target: identity.target,
    note: identity.note,
  },
});
