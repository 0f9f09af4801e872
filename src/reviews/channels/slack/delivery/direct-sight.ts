import { Injectable } from '@nestjs/common';
import { Clock, type Instant } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import { mayDecideIn, People } from '../../../people.js';
import type { Review } from '../../../review.js';
import { SlackSpeakers } from '../people/slack-speakers.js';
import { SlackWorkspace } from '../setup/slack-workspace.js';
import { accountOfPerson } from '../sql/identities-of.js';

/** Direct messages of somebody. */
export interface Addressee {
  readonly personId: string;
  /** The account that they are with; `undefined` for a copy of an older release, which did not keep it. */
  readonly userId: string | undefined;
  /** When the copy was posted. */
  readonly postedAt?: Instant | undefined;
}

/** What direct messages may show of a review; `unchecked` while Slack does not say what the account is. */
export type Sight = 'all' | 'nothing' | 'unchecked';

/**
 * Whether somebody may be shown a review in direct messages: they may decide on it, and the account is theirs and a
 * member's still. Slack is asked before anything is sent and not only when somebody clicks, since the message alone
 * already tells a guest what was found where.
 */
@Injectable()
export class DirectSight {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly people: People,
    private readonly workspace: SlackWorkspace,
    private readonly speakers: SlackSpeakers,
  ) {}

  /** Whether somebody may still decide in the review's queue; whoever left is told nothing more of it. */
  async mayDecide({ policy }: Pick<Review, 'policy'>, personId: string): Promise<boolean> {
    return (await this.queuesOf(personId, [policy.queue])).length > 0;
  }

  /** Those of some queues in which somebody may still decide. */
  async queuesOf(personId: string, queues: readonly string[]): Promise<readonly string[]> {
    const person = (await this.people.at(Math.round(this.clock.now()))).person(personId);
    return person === undefined ? [] : queues.filter((queue) => mayDecideIn(queue, person));
  }

  async of(review: Pick<Review, 'policy'>, to: Addressee): Promise<Sight> {
    return (await this.mayDecide(review, to.personId)) ? this.ofAccount(to) : 'nothing';
  }

  /** The same of the account alone. */
  async ofAccount({ personId, userId, postedAt }: Addressee): Promise<Sight> {
    const home = await this.workspace.known();
    if (home === undefined) return 'unchecked';
    // Of an older release: it went to one that was theirs by then.
    const account = userId ?? (await accountOfPerson(this.db, home.teamId, personId, postedAt));
    if (account === undefined) return 'nothing';
    const person = await this.speakers.personOf(account, home);
    if (person === 'unchecked') return 'unchecked';
    return person !== 'nobody' && person.id === personId ? 'all' : 'nothing';
  }
}
