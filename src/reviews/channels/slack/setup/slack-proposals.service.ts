import { Injectable } from '@nestjs/common';
import { auditActor, type Principal } from '../../../../access/principal.js';
import { appendAudit } from '../../../../audit/audit.js';
import { Clock, type Instant } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import { AppError, Overloaded } from '../../../../errors.js';
import { Reviewers, type ReviewerPerson } from '../../../reviewers.js';
import type { SlackHome } from '../inbound/handled.js';
import { findSlackPerson } from '../sql/identities.js';
import { askSlack } from './ask-slack.js';
import { AccountFinder, type FoundAccount } from './account-finder.js';
import type { Proposal, ProposalList } from './proposals.view.js';
import { ProposalMessages, PROPOSAL_DAYS } from './proposal-messages.js';
import { isWaitedFor, stateOf } from './proposal-standing.js';
import { SlackWorkspace } from './slack-workspace.js';
import {
  linkedAccounts,
  proposalsOf,
  takeProposal,
  writeProposal,
  type StoredProposal,
} from './sql/proposals.js';

// Each takes three calls, of which Slack lets some fifty be made in a minute.
const MAX_AT_ONCE = 10;
const MAX_LISTED = 200;
const DAY_MS = 86_400_000;

/**
 * Proposes to people the Slack account that has their e-mail address. Nothing is linked by it: each gets a direct message
 * with a link that only they can follow, signed in, and one click there links the account.
 */
@Injectable()
export class SlackProposals {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly reviewers: Reviewers,
    private readonly workspace: SlackWorkspace,
    private readonly finder: AccountFinder,
    private readonly messages: ProposalMessages,
  ) {}

  /** How everybody who may decide stands, a page at a time. */
  async list(cursor: string | undefined): Promise<ProposalList> {
    const home = await this.home();
    const { page, next } = await this.pageOf(cursor, MAX_LISTED);
    return { items: await this.standing(page, home, new Map()), nextCursor: next };
  }

  /**
   * Asks the next ten people. @throws Overloaded when Slack asks to wait: whoever was asked by then stays asked, and the
   * same call goes on with the others.
   */
  async propose(
    order: { readonly cursor?: string | undefined; readonly again: boolean },
    principal: Principal,
  ): Promise<ProposalList> {
    const home = await this.home();
    const { page, next } = await this.pageOf(order.cursor, MAX_AT_ONCE);
    const ids = page.map(({ personId }) => personId);
    const linked = await linkedAccounts(this.db, home.teamId, ids);
    const before = await proposalsOf(this.db, home.teamId, ids);
    const fresh = new Map<string, StoredProposal>();
    for (const person of page) {
      const asked = before.get(person.personId);
      if (linked.has(person.personId) || isWaitedFor(asked, order.again, this.now())) continue;
      const proposal = await this.ask(person, home, principal, asked);
      if (proposal !== undefined) fresh.set(person.personId, proposal);
    }
    return { items: await this.standing(page, home, fresh), nextCursor: next };
  }

  /** @returns `undefined` when somebody else asks them at the same moment. */
  private async ask(
    person: ReviewerPerson,
    home: SlackHome,
    principal: Principal,
    seen: StoredProposal | undefined,
  ): Promise<StoredProposal | undefined> {
    const found = await this.finder.find(person.email, home);
    const base = {
      personId: person.personId,
      teamId: home.teamId,
      proposedBy: auditActor(principal),
      proposedAt: this.now(),
    };
    if (found.kind !== 'member') return this.take({ ...base, ...refusalOf(found) }, seen);
    const { userId, userName } = found;
    const holder = await findSlackPerson(this.db, { teamId: home.teamId, userId });
    if (holder !== undefined && holder.id !== person.personId)
      return this.take(
        { ...base, state: 'refused', userId, userName, detail: 'the account is linked to somebody else' },
        seen,
      );
    const expiresAt = base.proposedAt + PROPOSAL_DAYS * DAY_MS;
    const proposal = { ...base, userId, userName, expiresAt };
    // Recorded before it is made: whoever proposes to them at the same moment finds it, and sends nothing.
    const isOurs = await this.db.transaction(async (tx) => {
      if (!(await takeProposal(tx, { ...proposal, state: 'sending' }, seen))) return false;
      await appendAudit(tx, [
        {
          at: base.proposedAt,
          actor: base.proposedBy,
          action: 'slack.proposed',
          subject: `user:${person.personId}`,
          data: { teamId: home.teamId, slackUserId: userId, slackUserName: userName },
        },
      ]);
      return true;
    });
    if (!isOurs) return undefined;
    try {
      await this.messages.send({ teamId: home.teamId, userId, userName }, person, principal.name);
      return await this.keep({ ...proposal, state: 'proposed' });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const failed = await this.keep({ ...base, state: 'failed', userId, userName, detail: error.message });
      if (error instanceof Overloaded) throw error;
      return failed;
    }
  }

  private async take(
    proposal: StoredProposal,
    seen: StoredProposal | undefined,
  ): Promise<StoredProposal | undefined> {
    return (await takeProposal(this.db, proposal, seen)) ? proposal : undefined;
  }

  private async keep(proposal: StoredProposal): Promise<StoredProposal> {
    await writeProposal(this.db, proposal);
    return proposal;
  }

  /** By the id, so that a page begins where the last one ended whoever came meanwhile. */
  private async pageOf(cursor: string | undefined, size: number) {
    const all = (await this.reviewers.list())
      .filter(({ personId }) => cursor === undefined || personId > cursor)
      .toSorted((a, b) => (a.personId < b.personId ? -1 : 1));
    const page = all.slice(0, size);
    return { page, next: all.length > size ? (page.at(-1)?.personId ?? null) : null };
  }

  private async standing(
    people: readonly ReviewerPerson[],
    home: SlackHome,
    fresh: ReadonlyMap<string, StoredProposal>,
  ): Promise<Proposal[]> {
    const ids = people.map(({ personId }) => personId);
    const linked = await linkedAccounts(this.db, home.teamId, ids);
    const stored = await proposalsOf(this.db, home.teamId, ids);
    return people.map(({ personId, name }) => {
      const account = linked.get(personId);
      const proposal = fresh.get(personId) ?? stored.get(personId);
      return {
        person: { id: personId, name },
        state: account !== undefined ? 'linked' : stateOf(proposal, fresh.has(personId), this.now()),
        slackUserId: account?.userId ?? proposal?.userId ?? null,
        slackUserName: account?.userName ?? proposal?.userName ?? null,
        detail: account === undefined ? (proposal?.detail ?? null) : null,
        proposedAt: proposal === undefined ? null : new Date(proposal.proposedAt).toISOString(),
      };
    });
  }

  private async home(): Promise<SlackHome> {
    const known = await this.workspace.known();
    if (known !== undefined) return known;
    return askSlack(() => this.workspace.ask());
  }

  private now(): Instant {
    return Math.round(this.clock.now());
  }
}

const refusalOf = (
  found: Exclude<FoundAccount, { readonly kind: 'member' }>,
): Pick<StoredProposal, 'state' | 'userId' | 'userName' | 'detail'> =>
  found.kind === 'refused'
    ? { state: 'refused', userId: found.userId, userName: found.userName, detail: found.why }
    : { state: found.kind };
