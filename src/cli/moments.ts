import { CommandError } from './command-error.js';

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A moment as the service takes it: ISO 8601 with its offset, or so long from now (`4h`, `2d`). @throws CommandError naming the option. */
export function momentOf(option: string, text: string, now = Date.now()): string {
  const [, count, unit] = /^(\d{1,4})([mhdw])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined)
    return new Date(now + Number(count) * (UNITS[unit] ?? 0)).toISOString();
  if (/^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:\d{2})$/.test(text) && !Number.isNaN(Date.parse(text)))
    return text;
  throw new CommandError(
    `${option}: "${text}" cannot be used. Give a time with its offset such as 2026-12-24T09:00:00Z, or how long from now: 30m, 4h, 2d, 1w.`,
  );
}
