const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const bytes = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });

/** `1,234,567`, as the reader's language groups it. */
export const count = (many: number): string => whole.format(many);

/** A moment in the reader's own zone. */
export const when = (at: number | string | undefined | null): string =>
  at === undefined || at === null ? '–' : dateTime.format(new Date(at));

/** `850 ms`, `4.2 s`, `3 min 10 s`, `2 h 5 min`, `9 d 4 h`. */
export function duration(milliseconds: number | undefined): string {
  if (milliseconds === undefined || Number.isNaN(milliseconds)) return '–';
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** `1.2 MB`. */
export function size(bytesCount: number | undefined | null): string {
  if (bytesCount === undefined || bytesCount === null) return '–';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytesCount;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${bytes.format(value)} ${units[unit]}`;
}

/** Control and direction characters of hostile names, made visible instead of obeyed. */
export const visible = (text: string): string =>
  text.replace(
    /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** The same of what somebody wrote in several lines, which stay lines where the style keeps them. */
export const visibleLines = (text: string): string =>
  text
    .split(/\r\n|[\r\n]/)
    .map(visible)
    .join('\n');

/** Certain are those of confidence high: they alone make an object guilty. */
export interface FindingCounts {
  readonly certain: number;
  readonly uncertain: number;
  /** The baseline has them: in neither of the others. */
  readonly accepted: number;
}

// What the service counts at most for each object of a list.
const COUNTED = 100;

/** `2 certain, 1 uncertain`, as src/cli/findings.ts has it. */
export function findingsWords({ certain, uncertain, accepted }: FindingCounts): string {
  const parts = [
    ...(certain === 0 ? [] : [`${count(certain)} certain`]),
    ...(uncertain === 0 ? [] : [`${count(uncertain)} uncertain`]),
    ...(accepted === 0 ? [] : [`${count(accepted)} accepted`]),
  ];
  if (parts.length === 0) return '–';
  return parts.join(', ') + (certain + uncertain + accepted >= COUNTED ? ' or more' : '');
}

/** After the word of its state: `given`, to whom; `claimed`, and whatever follows that, by whom. */
export const holderWords = (state: string, name: string): string =>
  state === 'ASSIGNED' ? `to ${name}` : `by ${name}`;

/** Once it is decided, the workflow moves the object: what was so when it was asked is no news of now. */
export const placeWords = (isWaiting: boolean): string => (isWaiting ? 'Now' : 'Where it was when asked');
