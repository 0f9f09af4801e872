import { durationText } from '../../outbound/safe-text.js';

/*
 * How a report says numbers and times. The same on every machine: no locale and no time zone of the process has a part in it.
 */

/** `1,234,567`. */
export const whole = (many: number): string => String(many).replace(/\B(?=(?:\d{3})+$)/g, ',');

/** `1 review`, `2,000 reviews`. */
export const counted = (many: number, one: string, several = `${one}s`): string =>
  `${whole(many)} ${many === 1 ? one : several}`;

/** `2026-11-23 14:05`, in UTC. */
export const minute = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;

export const minuteOrDash = (iso: string | null): string => (iso === null ? '–' : minute(iso));

export const spanOrDash = (milliseconds: number | null): string =>
  milliseconds === null ? '–' : durationText(milliseconds);

/** `98.4 %`; a dash where there is nothing to have a share of. Never rounded up to all, nor down to nothing. */
export function percent(part: number, of: number): string {
  if (of === 0) return '–';
  const share = (part / of) * 100;
  const shown = part === of ? 100 : part === 0 ? 0 : Math.min(99.9, Math.max(0.1, share));
  return `${shown.toFixed(shown === 100 || shown === 0 ? 0 : 1)} %`;
}

/** `time_to_claim` as `time to claim`. */
export const spaced = (code: string): string => code.replaceAll('_', ' ');

/** What a report of this kind is about. */
export const periodWord = (kind: string): string =>
  ({ weekly: 'week', monthly: 'month', quarterly: 'quarter' })[kind] ?? 'period';
