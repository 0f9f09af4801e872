import type { Keyring } from '../../../../access/keyring.js';
import type { Config } from '../../../../config.js';
import { ConfigError } from '../../../../errors.js';
import { openSetting } from './slack-secrets.js';
import type { SettingName, StoredSetting } from './sql/stored-settings.js';

/** The environment variable of each setting. */
export const VARIABLES = {
  botToken: 'SLACK_BOT_TOKEN',
  appToken: 'SLACK_APP_TOKEN',
  signingSecret: 'SLACK_SIGNING_SECRET',
  channel: 'SLACK_CHANNEL',
} as const satisfies Readonly<Record<SettingName, keyof Config>>;

/** One setting in the clear, and where it comes from. */
export interface KnownSetting {
  /** `undefined` when what is stored cannot be decrypted. */
  readonly value: string | undefined;
  readonly from: 'environment' | 'stored';
  /** The row, when it is stored. */
  readonly stored?: StoredSetting | undefined;
  /** Why what is stored is of no use. */
  readonly problem?: string | undefined;
}

export type KnownSettings = Readonly<Partial<Record<SettingName, KnownSetting>>>;

/** The environment wins where it says something: what only the operator can change, nobody changes by the API. */
export function knownSettings(
  config: Pick<Config, (typeof VARIABLES)[SettingName]>,
  stored: readonly StoredSetting[],
  keyring: Pick<Keyring, 'named'>,
): KnownSettings {
  const known: Partial<Record<SettingName, KnownSetting>> = {};
  for (const one of stored) known[one.name] = opened(one, keyring);
  for (const [name, variable] of Object.entries(VARIABLES) as [SettingName, keyof typeof config][]) {
    const said = config[variable];
    const value = typeof said === 'string' ? said : said?.join(',');
    if (value !== undefined && value !== '') known[name] = { value, from: 'environment' };
  }
  return known;
}

function opened(stored: StoredSetting, keyring: Pick<Keyring, 'named'>): KnownSetting {
  if (stored.name === 'channel') return { value: stored.value, from: 'stored', stored };
  try {
    return { value: openSetting(keyring, stored.name, stored.value), from: 'stored', stored };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { value: undefined, from: 'stored', stored, problem: error.message };
  }
}
