import { describe, expect, it } from 'vitest';
import { SlackUserInfo, standingOf } from '../../../src/reviews/channels/slack/people/standing.js';

describe('an account as Slack tells of it', () => {
  const home = { teamId: 'T1', enterpriseId: 'E1' };
  it.each<[object, string]>([
    [{ id: 'U1', team_id: 'T1' }, 'member'],
    [{ id: 'U1', team_id: 'T1', is_restricted: null }, 'member'],
    [{ id: 'USLACKBOT', team_id: 'T1' }, 'bot'],
    [{ id: 'U1', team_id: 'T2' }, 'foreign'],
    [{ id: 'U1' }, 'foreign'],
    [{ id: 'U1', team_id: 'T1', is_stranger: true, is_restricted: true }, 'stranger'],
    [{ id: 'U1', team_id: 'T1', deleted: true, is_bot: true }, 'deleted'],
    [{ id: 'U1', team_id: 'E1', enterprise_user: { enterprise_id: 'E1', teams: ['T1', 'T2'] } }, 'member'],
    [{ id: 'U1', team_id: 'E1', enterprise_user: { enterprise_id: 'E1', teams: ['T2'] } }, 'foreign'],
    [{ id: 'U1', team_id: 'E2', enterprise_user: { enterprise_id: 'E2', teams: ['T1'] } }, 'foreign'],
    [
      {
        id: 'U1',
        team_id: 'E1',
        is_ultra_restricted: true,
        enterprise_user: { enterprise_id: 'E1', teams: ['T1'] },
      },
      'guest',
    ],
  ])('reads %j as %s', (user, standing) => {
    expect(standingOf(SlackUserInfo.parse(user), home)).toBe(standing);
  });
});
