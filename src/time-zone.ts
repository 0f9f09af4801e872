// A zone's clock is asked for thousands of times when a schedule is planned; making a format costs a hundred times that.
const formats = new Map<string, Intl.DateTimeFormat>();
// More zones than tzdb has names for.
const MAX_FORMATS = 1000;

/** Whether it is a name of the IANA database (`Europe/Berlin`, `UTC`); offsets such as `+02:00` are none. */
export function isTimeZone(timeZone: string): boolean {
  try {
    return /^[A-Za-z]/.test(timeZone) && formatOf(timeZone) !== undefined;
  } catch {
    // RangeError is how the runtime says that it knows no such zone.
    return false;
  }
}

/** By how many milliseconds the zone's wall clock is ahead of UTC at an instant; whole seconds. */
export function offsetAt(timeZone: string, at: number): number {
  const second = Math.floor(at / 1000) * 1000;
  const shown = /^(\d+)\/(\d+)\/(\d+), (\d+):(\d+):(\d+)$/.exec(formatOf(timeZone).format(second));
  if (shown === null) throw new Error(`the time in ${timeZone} at ${at} cannot be read`);
  const [month = 1, day = 1, year = 0, hour = 0, minute = 0, part = 0] = shown.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, part) - second;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  if (formats.size < MAX_FORMATS) formats.set(timeZone, format);
  return format;
}
