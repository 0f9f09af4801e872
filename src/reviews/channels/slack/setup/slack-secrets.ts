import { openText, sealText } from '../../../../access/sealing.js';
import type { Keyring } from '../../../../access/keyring.js';
import type { SettingName } from './sql/stored-settings.js';

const HINT_LENGTH = 4;

/** What an encrypted setting opens for. */
const belongsTo = (name: SettingName): string => `slack ${name}`;

export const sealSetting = (keyring: Keyring, name: SettingName, secret: string): string =>
  sealText(keyring.for('credentials'), secret, belongsTo(name));

/** @throws ConfigError when its key is not in the keyring, or it was changed or moved. */
export const openSetting = (keyring: Pick<Keyring, 'named'>, name: SettingName, sealed: string): string =>
  openText(keyring, sealed, belongsTo(name));

/** By which people tell a secret from another; nothing of one that is too short to keep the rest hidden. */
export const hintOf = (secret: string): string | undefined =>
  secret.length >= 4 * HINT_LENGTH ? secret.slice(-HINT_LENGTH) : undefined;
