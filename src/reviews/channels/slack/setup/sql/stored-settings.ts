import type { Instant } from '../../../../../clock.js';
import type { Queryable } from '../../../../../database/queryable.js';

/** What may be stored instead of set in the environment. */
export const SETTING_NAMES = ['botToken', 'appToken', 'signingSecret', 'channel'] as const;
export type SettingName = (typeof SETTING_NAMES)[number];

/** Who set something, and when. */
export interface SetBy {
  readonly by: string;
  readonly byName: string;
  readonly at: Instant;
}

/** One setting as it is stored: a secret is sealed. */
export interface StoredSetting extends SetBy {
  readonly name: SettingName;
  readonly value: string;
  /** The last characters of a secret. */
  readonly hint: string | undefined;
}

/** Where the reviews of one queue are posted. */
export interface SlackRoute extends SetBy {
  readonly queue: string;
  readonly channel: string;
  /** As Slack called it when the route was made. */
  readonly channelName: string | undefined;
}

/** Everything that is stored, as it stood at one moment. */
export interface StoredSetup {
  readonly revision: number;
  readonly settings: readonly StoredSetting[];
  readonly routes: readonly SlackRoute[];
}

interface SetByRow {
  readonly set_by: string;
  readonly set_by_name: string;
  readonly set_at: number;
}
type SettingRow = SetByRow & { readonly name: string; readonly value: string; readonly hint: string | null };
type RouteRow = SetByRow & {
  readonly queue: string;
  readonly channel: string;
  readonly channel_name: string | null;
};

const setBy = (row: SetByRow): SetBy => ({ by: row.set_by, byName: row.set_by_name, at: row.set_at });

// One statement sees one moment.
const READ = `
  SELECT coalesce((SELECT revision FROM slack_setup), 0)::float8 AS revision,
    (SELECT coalesce(json_agg(s ORDER BY s.name), '[]') FROM slack_setting s) AS settings,
    (SELECT coalesce(json_agg(r ORDER BY r.queue), '[]') FROM slack_route r) AS routes`;

/** Everything: some rows as a rule, a thousand at most. */
export async function readStoredSetup(db: Queryable): Promise<StoredSetup> {
  const [row] = await db.query<{ revision: number; settings: SettingRow[]; routes: RouteRow[] }>(READ);
  return {
    revision: row?.revision ?? 0,
    settings: (row?.settings ?? []).flatMap((one) => {
      const name = SETTING_NAMES.find((known) => known === one.name);
      // Of a newer release, which may store more.
      if (name === undefined) return [];
      return [{ name, value: one.value, hint: one.hint ?? undefined, ...setBy(one) }];
    }),
    routes: (row?.routes ?? []).map((one) => ({
      queue: one.queue,
      channel: one.channel,
      channelName: one.channel_name ?? undefined,
      ...setBy(one),
    })),
  };
}

/** Whether there is anything new, for the price of one row. */
export async function readSetupRevision(db: Queryable): Promise<number> {
  const [row] = await db.query<{ revision: number }>('SELECT revision::float8 AS revision FROM slack_setup');
  return row?.revision ?? 0;
}

/** First in a transaction that changes anything: others who want to wait their turn, and see it once it commits. */
export const raiseSetupRevision = (tx: Queryable): Promise<unknown> =>
  tx.query(
    `INSERT INTO slack_setup (revision) VALUES (1)
     ON CONFLICT (only_one) DO UPDATE SET revision = slack_setup.revision + 1`,
  );

export const writeSetting = (tx: Queryable, one: StoredSetting): Promise<unknown> =>
  tx.query(
    `INSERT INTO slack_setting (name, value, hint, set_by, set_by_name, set_at) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value, hint = excluded.hint, set_by = excluded.set_by,
       set_by_name = excluded.set_by_name, set_at = excluded.set_at`,
    [one.name, one.value, one.hint ?? null, one.by, one.byName, one.at],
  );

/** @returns whether there was one. */
export async function deleteSetting(tx: Queryable, name: SettingName): Promise<boolean> {
  const rows = await tx.query('DELETE FROM slack_setting WHERE name = $1 RETURNING name', [name]);
  return rows.length > 0;
}

export const writeRoute = (tx: Queryable, one: SlackRoute): Promise<unknown> =>
  tx.query(
    `INSERT INTO slack_route (queue, channel, channel_name, set_by, set_by_name, set_at)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (queue) DO UPDATE SET channel = excluded.channel, channel_name = excluded.channel_name,
       set_by = excluded.set_by, set_by_name = excluded.set_by_name, set_at = excluded.set_at`,
    [one.queue, one.channel, one.channelName ?? null, one.by, one.byName, one.at],
  );

/** @returns where it led, if there was one. */
export async function deleteRoute(tx: Queryable, queue: string): Promise<string | undefined> {
  const [row] = await tx.query<{ channel: string }>(
    'DELETE FROM slack_route WHERE queue = $1 RETURNING channel',
    [queue],
  );
  return row?.channel;
}
