import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Clock, type Instant } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import { Together } from '../../../../database/together.js';
import { NotFound, Unauthorized, Unavailable } from '../../../../errors.js';
import { LOG, type Log } from '../../../../ops/log.js';
import { SlackAccess } from '../setup/slack-access.js';
import { SlackWorkspace } from '../setup/slack-workspace.js';
import { giveBackSlackRequest, takeSlackRequests, type SeenRequest } from '../sql/requests.js';
import type { Refused, SlackHome } from './handled.js';
import { SignatureWatch } from './signature-watch.js';
import { SlackCounts } from './slack-counts.js';
import { disbelieve, type Disbelief, type SignedRequest } from './verify-request.js';

// Twice what a timestamp may be off: after that it is refused for its age.
const REMEMBER_MS = 600_000;
const TELL_EVERY_MS = 60_000;

/** A request that Slack made, and made only once. */
export interface TakenRequest {
  readonly home: SlackHome;
  /** Nothing came of it: Slack may send the same again. */
  readonly giveBack: () => Promise<void>;
}

/** Says of what is posted to us whether Slack posted it. Whoever guesses hears only that it was not believed. */
@Injectable()
export class SlackRequests {
  private readonly toldAt = new Map<string, Instant>();
  /** What comes at the same time is remembered together. */
  private readonly taking: Together<SeenRequest, boolean>;

  constructor(
    @Inject(LOG) private readonly log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly access: SlackAccess,
    private readonly workspace: SlackWorkspace,
    private readonly counts: SlackCounts,
    private readonly signatures: SignatureWatch,
  ) {
    this.taking = new Together(
      async (requests) => {
        const taken = await takeSlackRequests(this.db, requests);
        return requests.map(({ signatureSha256 }) => taken.has(signatureSha256.toString('hex')));
      },
      { keyOf: ({ signatureSha256 }) => signatureSha256.toString('hex') },
    );
  }

  /** @throws NotFound without a signing secret; Unauthorized for what Slack did not sign, or signed long ago. */
  believe(request: SignedRequest): void {
    const secrets = this.access.settings?.signingSecrets ?? [];
    const why = disbelieve(request, secrets, Math.floor(this.clock.now() / 1000));
    if (why === 'no_secret') {
      this.tell('no_secret');
      throw new NotFound(
        'Nothing is taken from Slack here: there is no signing secret. Set it on the page Slack or as SLACK_SIGNING_SECRET, or leave Slack to Socket Mode.',
      );
    }
    if (why === 'signature') this.signatures.refused();
    if (why !== undefined) throw this.refusal(why);
    this.signatures.believed();
  }

  /**
   * Takes a believed request: the same one is refused from then on, on every node.
   *
   * @throws Unavailable while nobody knows whose workspace we are for; Unauthorized for one that was taken before.
   */
  async take({ signature }: SignedRequest): Promise<TakenRequest> {
    const home = await this.workspace.known();
    if (home === undefined)
      throw new Unavailable('slack', 'Slack has not said yet whose workspace this is. Try again.');
    const key = createHash('sha256').update(String(signature)).digest();
    const forgetAt = Math.round(this.clock.now()) + REMEMBER_MS;
    if (!(await this.taking.do({ signatureSha256: key, forgetAt }))) throw this.refusal('replayed');
    return {
      home,
      giveBack: async () => {
        await giveBackSlackRequest(this.db, key);
      },
    };
  }

  /** What is told to whoever sent something that is not taken, and counted. */
  refusal(why: Exclude<Disbelief, 'no_secret'> | 'replayed' | Exclude<Refused, 'malformed'>): Unauthorized {
    this.counts.refused('http', why);
    this.tell(why);
    return new Unauthorized('This request is not believed to be from Slack, or not meant for this service.');
  }

  /** Once a minute for each reason: it is what a wrong secret or a wrong clock looks like. */
  private tell(why: keyof typeof REMEDIES): void {
    const now = this.clock.now();
    if (now - (this.toldAt.get(why) ?? -Infinity) < TELL_EVERY_MS) return;
    this.toldAt.set(why, now);
    this.log.warn({ reason: why, remedy: REMEDIES[why] }, 'a request to the routes of Slack was refused');
  }
}

const REMEDIES = {
  no_secret:
    'Set the signing secret (Basic Information of the app) on the page Slack or as SLACK_SIGNING_SECRET, or take the request URLs out of the app.',
  no_signature: 'It has no signature: somebody else posts here, or a proxy takes X-Slack-… headers away.',
  timestamp:
    'It is more than five minutes old or ahead: check the clock of the database, or somebody repeats requests.',
  signature:
    'It is signed with another secret: check the signing secret, on the page Slack or as SLACK_SIGNING_SECRET.',
  replayed: 'The same request was taken before: somebody, or a proxy, repeats requests.',
  foreign_team: 'It is about another workspace than that of the bot token.',
  foreign_app: 'It is meant for another app than that of the bot token.',
} as const;
