/* How Slack is set up, as the server tells it. */

export const STATUS = '/api/v1/slack';
export const PROPOSALS = '/api/v1/slack/proposals';

export interface SlackSetting {
  readonly isSet: boolean;
  /** What the environment sets is changed there alone. */
  readonly from: 'environment' | 'stored' | null;
  readonly variable: string;
  readonly kind: string;
  readonly hint: string | null;
  readonly setBy: string | null;
  readonly setAt: string | null;
  readonly problem: string | null;
}

export interface SlackTrouble {
  readonly since?: string | null;
  readonly fact: string;
  readonly remedy: string;
}

export interface UsedChannel {
  readonly id: string;
  readonly name: string | null;
  readonly isDefault: boolean;
  readonly queues: readonly string[];
  readonly isPrivate: boolean | null;
  readonly isLookedAt: boolean;
  readonly trouble: SlackTrouble | null;
}

export interface SlackStatus {
  readonly isOn: boolean;
  readonly transport: 'socket' | 'http' | null;
  readonly connected: boolean | null;
  readonly lastHelloAt: string | null;
  readonly lastError: string | null;
  readonly team: { readonly id: string; readonly name: string | null } | null;
  readonly appId: string | null;
  readonly settings: Readonly<Record<'botToken' | 'appToken' | 'signingSecret' | 'channel', SlackSetting>>;
  readonly scopes: readonly {
    readonly scope: string;
    readonly isGranted: boolean | null;
    readonly isOptional: boolean;
    readonly without: string;
  }[];
  readonly channels: readonly UsedChannel[];
  readonly digests: {
    readonly daily: string | null;
    readonly weekly: string | null;
    readonly timeZone: string;
  };
  readonly people: { readonly deciders: number; readonly bound: number };
  readonly missing: readonly { readonly what: string; readonly remedy: string; readonly isNeeded: boolean }[];
}

/** A channel that the app sees. */
export interface SeenChannel {
  readonly id: string;
  readonly name: string | null;
  readonly isPrivate: boolean;
  readonly trouble: SlackTrouble | null;
}

export interface Probe {
  readonly channel: string;
  readonly posted: boolean;
  readonly removed: boolean;
  readonly durationMs: number;
  readonly reason: string | null;
  readonly remedy: string | null;
}

/** How somebody who may decide stands. */
export interface Proposal {
  readonly person: { readonly id: string; readonly name: string };
  readonly state: 'linked' | 'proposed' | 'open' | 'no_address' | 'not_found' | 'refused' | 'failed' | 'none';
  readonly slackUserId: string | null;
  readonly slackUserName: string | null;
  readonly detail: string | null;
}

/** `#security`, or the id where Slack does not tell the name. */
export const channelName = ({ id, name }: { readonly id: string; readonly name: string | null }): string =>
  name === null ? id : `#${name}`;
