import type { Json } from './refusal.js';

/** Who acts in a test. Somebody who was not added before is met as an ordinary member. */
export interface FakeUser {
  readonly id: string;
  readonly name: string;
  /** Workspace of somebody who is here through Slack Connect. */
  readonly teamId?: string | undefined;
}

/** Somebody to add to the workspace. */
export interface UserSeed extends FakeUser {
  readonly realName?: string | undefined;
  readonly email?: string | undefined;
  readonly isBot?: boolean | undefined;
  /** A guest of several channels. */
  readonly isRestricted?: boolean | undefined;
  /** A guest of one channel. */
  readonly isUltraRestricted?: boolean | undefined;
  /** Of another workspace, here through Slack Connect. */
  readonly isStranger?: boolean | undefined;
  readonly deleted?: boolean | undefined;
  readonly isAdmin?: boolean | undefined;
  readonly timeZone?: string | undefined;
  /** Ids of the channels that they are in; the first channel when left out. */
  readonly channels?: readonly string[] | undefined;
}

/** What may change about somebody. */
export type UserChange = Partial<Omit<UserSeed, 'id' | 'channels'>>;

/** The account as Slack shows it; the address only to those with the scope for it. */
export function asSlackUser(user: UserSeed, homeTeamId: string, withEmail: boolean): Json {
  const realName = user.realName ?? user.name;
  return {
    id: user.id,
    team_id: user.teamId ?? homeTeamId,
    name: user.name,
    deleted: user.deleted ?? false,
    real_name: realName,
    tz: user.timeZone ?? 'Etc/UTC',
    profile: {
      real_name: realName,
      display_name: user.name,
      team: user.teamId ?? homeTeamId,
      ...(withEmail && user.email !== undefined ? { email: user.email } : {}),
    },
    is_admin: user.isAdmin ?? false,
    is_bot: user.isBot ?? false,
    is_app_user: false,
    is_restricted: user.isRestricted ?? false,
    is_ultra_restricted: user.isUltraRestricted ?? false,
    ...(user.isStranger === true ? { is_stranger: true } : {}),
  };
}
