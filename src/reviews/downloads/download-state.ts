import type { Instant } from '../../clock.js';
import type { Download } from './sql/downloads.js';

/** How long somebody else has to agree, and how long the asker may then fetch a link. */
export const WAIT_MS = 24 * 3_600_000;
/** How long a link works. */
export const LINK_MS = 15 * 60_000;
/** How long the bytes may take. */
export const SENDING_MS = 60 * 60_000;

/**
 * `waiting`: for somebody else to agree. `ready`: a link is to be had. `sending`; `whole` or `broken_off`; `not_known`: the
 * service ended while it was sending.
 */
export const DOWNLOAD_STATES = [
  'waiting',
  'ready',
  'refused',
  'expired',
  'sending',
  'whole',
  'broken_off',
  'not_known',
] as const;
export type DownloadState = (typeof DOWNLOAD_STATES)[number];

export function stateOf(download: Download, now: Instant): DownloadState {
  if (download.answer === 'refused') return 'refused';
  if (download.usedAt !== null) {
    if (download.isWhole !== null) return download.isWhole ? 'whole' : 'broken_off';
    return now - download.usedAt > SENDING_MS + LINK_MS ? 'not_known' : 'sending';
  }
  if (download.expiresAt <= now) return 'expired';
  return download.needsGrant && download.answer === null ? 'waiting' : 'ready';
}
