import { createHash, randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '../../../../audit/audit.js';
import { Clock } from '../../../../clock.js';
import { CONFIG, publicUrl, type Config } from '../../../../config.js';
import { Database } from '../../../../database/database.js';
import { Conflict, Forbidden, NotFound } from '../../../../errors.js';
import { Outbox } from '../../../../outbound/outbox.js';
import { visible } from '../../../../outbound/safe-text.js';
import { Reviewers } from '../../../reviewers.js';
import type { Person } from '../../../rules/review.js';
import { forgetProposal } from '../setup/sql/proposals.js';
import {
  bindSlackPerson,
  findLinkRequest,
  findSlackPerson,
  insertLinkRequest,
  listSlackPeople,
  takeLinkRequest,
  unbindSlackPerson,
  type LinkedAccount,
  type LinkRequest,
  type PeopleFilter,
  type SlackAccount,
} from '../sql/identities.js';
import { NO_MEMBER, type Standing } from './standing.js';
import { unlinkedMail } from './unlinked-mail.js';

const LINK_MINUTES = 15;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

const hashOf = (token: string): Buffer => createHash('sha256').update(`slack:${token}`).digest();

/** Whether a text can be a token at all. */
export const isLinkToken = (text: string): boolean => TOKEN.test(text);

/** Whether somebody may follow a link: a proposal is for one person. */
export const isFor = ({ personId }: LinkRequest, person: Pick<Person, 'id'>): boolean =>
  personId === undefined || personId === person.id;

/** Path of the page that links an account. */
export const SLACK_LINK_PATH = '/api/v1/slack/link';

/** Which local person a Slack account speaks for. Slack's own names and addresses are never taken for an identity. */
@Injectable()
export class SlackIdentities {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly reviewers: Reviewers,
    private readonly outbox: Outbox,
  ) {}

  /** A one-time address at which somebody who is signed in links this account to themselves, within so long. */
  async linkUrl(request: LinkRequest, worksForMs = LINK_MINUTES * 60_000): Promise<string> {
    const token = randomBytes(32).toString('base64url');
    const now = Math.round(this.clock.now());
    await insertLinkRequest(this.db, {
      ...request,
      tokenHash: hashOf(token),
      now,
      expiresAt: now + worksForMs,
    });
    return `${publicUrl(this.config)}${SLACK_LINK_PATH}?token=${token}`;
  }

  /** Whose account a token is about; looking uses nothing up. */
  async requestOf(token: string): Promise<LinkRequest | undefined> {
    if (!TOKEN.test(token)) return undefined;
    return findLinkRequest(this.db, hashOf(token), Math.round(this.clock.now()));
  }

  /**
   * Uses up every open link of the account: an older one was for nobody else to keep.
   *
   * @throws NotFound when the token expired or was used; Forbidden when it is for somebody else, Conflict while the account
   * speaks for somebody else: both can be used still.
   */
  async link(token: string, person: Person): Promise<LinkRequest> {
    const now = Math.round(this.clock.now());
    return this.db.transaction(async (tx) => {
      const request = TOKEN.test(token) ? await takeLinkRequest(tx, hashOf(token), now) : undefined;
      if (request === undefined)
        throw new NotFound('This link was used or is too old. Click in Slack again for a new one.');
      if (!isFor(request, person)) throw new Forbidden('This link is for somebody else.');
      const holder = await findSlackPerson(tx, request);
      if (holder !== undefined && holder.id !== person.id)
        throw new Conflict('This Slack account is linked to somebody else. Unlink it first.');
      await bindSlackPerson(tx, request, person, now);
      await appendAudit(tx, [
        {
          at: now,
          actor: `user:${person.id}`,
          action: 'slack.linked',
          subject: `user:${person.id}`,
          data: {
            teamId: request.teamId,
            slackUserId: request.userId,
            slackUserName: request.userName,
          },
        },
      ]);
      return request;
    });
  }

  /** Which accounts speak for whom, by the account. */
  linked(filter: PeopleFilter): Promise<LinkedAccount[]> {
    return listSlackPeople(this.db, filter);
  }

  /** For whom an account speaks, whether they may decide or not. */
  holderOf(account: SlackAccount): Promise<Person | undefined> {
    return findSlackPerson(this.db, account);
  }

  /** The account speaks for nobody any more. @returns false when it spoke for nobody. */
  unlink(account: SlackAccount, by: { readonly actor: string; readonly name: string }): Promise<boolean> {
    return this.unbind(account, by.actor, {}, `${visible(by.name, 100)} unlinked it`);
  }

  /** An account that is no member of the workspace any more loses its person; a member again, it is linked anew. */
  async drop(account: SlackAccount, standing: Exclude<Standing, 'member'>): Promise<void> {
    // Slack does not know the account, or calls it another workspace's: it was not that when it was linked.
    if (standing === 'foreign') return;
    await this.unbind(
      account,
      'system:slack',
      { because: standing },
      `Slack says that the account ${NO_MEMBER[standing]}`,
    );
  }

  /** Whose it was hears of it, unless they did it themselves. @param because for people, what `why` is for the audit. */
  private async unbind(
    account: SlackAccount,
    by: string,
    why: Readonly<Record<string, string>>,
    because: string,
  ): Promise<boolean> {
    const at = Math.round(this.clock.now());
    // Of a guest who clicks, as a rule.
    if ((await this.holderOf(account)) === undefined) return false;
    const people = await this.reviewers.list();
    return this.db.transaction(async (tx) => {
      const unbound = await unbindSlackPerson(tx, account);
      if (unbound === undefined) return false;
      const { person, userName } = unbound;
      await forgetProposal(tx, account.teamId, person.id);
      await appendAudit(tx, [
        {
          at,
          actor: by,
          action: 'slack.unlinked',
          subject: `user:${person.id}`,
          data: { teamId: account.teamId, slackUserId: account.userId, ...why },
        },
      ]);
      const email = people.find(({ personId }) => personId === person.id)?.email;
      if (by !== `user:${person.id}` && email !== undefined && email !== '')
        await this.outbox.enqueue(tx, [unlinkedMail(email, { ...account, userName, at, because })]);
      return true;
    });
  }
}
