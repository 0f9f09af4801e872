/** What Slack is answered at once, and what is done after that. */
export interface Handled {
  /** The acknowledgement's body; an empty one when absent. */
  readonly ack?: Readonly<Record<string, unknown>> | undefined;
  /** Slack waits three seconds for the acknowledgement: what may take longer is done after it. */
  readonly afterwards?: (() => Promise<void>) | undefined;
  /** Why nothing was done with it: it is no payload of its kind, or meant for another workspace or app. */
  readonly refused?: Refused | undefined;
}

export type Refused = 'malformed' | 'foreign_team' | 'foreign_app';

/** The workspace and the app that we are there. */
export interface SlackHome {
  readonly teamId: string;
  readonly teamName?: string | undefined;
  /** Of a workspace of an Enterprise organisation. */
  readonly enterpriseId?: string | undefined;
  /** `undefined` when Slack does not tell (bots.info needs users:read). */
  readonly appId?: string | undefined;
  readonly botUserId?: string | undefined;
  readonly botId?: string | undefined;
  /** Scopes of the bot token; empty when Slack did not list them. */
  readonly scopes: readonly string[];
}
