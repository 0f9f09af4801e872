import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';
import type { SlackHome } from '../inbound/handled.js';

/** The workspace of a bot token, as Slack said at some time. */
export interface StoredHome {
  readonly home: SlackHome;
  readonly askedAt: Instant;
}

interface HomeRow {
  readonly team_id: string;
  readonly team_name: string | null;
  readonly enterprise_id: string | null;
  readonly app_id: string | null;
  readonly bot_user_id: string | null;
  readonly bot_id: string | null;
  readonly scopes: readonly string[];
  readonly asked_at: string;
}

export async function findSlackHome(db: Queryable, tokenSha256: Buffer): Promise<StoredHome | undefined> {
  const [row] = await db.query<HomeRow>('SELECT * FROM slack_home WHERE token_sha256 = $1', [tokenSha256]);
  return (
    row && {
      home: {
        teamId: row.team_id,
        teamName: row.team_name ?? undefined,
        enterpriseId: row.enterprise_id ?? undefined,
        appId: row.app_id ?? undefined,
        botUserId: row.bot_user_id ?? undefined,
        botId: row.bot_id ?? undefined,
        scopes: row.scopes,
      },
      askedAt: Number(row.asked_at),
    }
  );
}

/** Keeps what Slack said of a token. An app's id that Slack once told stays where it does not tell it again. */
export const keepSlackHome = (
  db: Queryable,
  tokenSha256: Buffer,
  home: SlackHome,
  askedAt: Instant,
): Promise<unknown> =>
  db.query(
    `INSERT INTO slack_home AS h
       (token_sha256, team_id, team_name, enterprise_id, app_id, bot_user_id, bot_id, scopes, asked_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (token_sha256) DO UPDATE SET
       team_id = excluded.team_id, team_name = excluded.team_name, enterprise_id = excluded.enterprise_id,
       app_id = coalesce(excluded.app_id, h.app_id), bot_user_id = excluded.bot_user_id, bot_id = excluded.bot_id,
       scopes = excluded.scopes, asked_at = excluded.asked_at
     WHERE h.asked_at <= excluded.asked_at`,
    [
      tokenSha256,
      home.teamId,
      home.teamName ?? null,
      home.enterpriseId ?? null,
      home.appId ?? null,
      home.botUserId ?? null,
      home.botId ?? null,
      home.scopes,
      askedAt,
    ],
  );

/** Those of tokens that nobody uses any more go. */
export const forgetSlackHomes = (db: Queryable, askedBefore: Instant): Promise<unknown> =>
  db.query('DELETE FROM slack_home WHERE asked_at < $1', [askedBefore]);
