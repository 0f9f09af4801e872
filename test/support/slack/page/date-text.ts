/*
 * Moments in messages: `<!date^1800000000^{date_short_pretty} at {time}|fallback>` is shown in the reader's time. The
 * reader of this page sits at the machine that serves it, so its time zone is the reader's.
 */

const DAY_MS = 86_400_000;

const date = (at: Date, options: Intl.DateTimeFormatOptions): string =>
  new Intl.DateTimeFormat('en-GB', options).format(at);

/** Slack's placeholders in a format, filled in. @param at in seconds. */
export function dateText(at: number, format: string, fallback: string, now = Date.now()): string {
  const moment = new Date(at * 1000);
  if (!Number.isFinite(at) || Number.isNaN(moment.getTime())) return fallback;
  const long = (): string =>
    date(moment, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  const short = (): string => date(moment, { day: 'numeric', month: 'short', year: 'numeric' });
  const middle = (): string => date(moment, { day: 'numeric', month: 'long', year: 'numeric' });
  const pretty = (otherwise: () => string): string => nearDay(moment, now) ?? otherwise();
  const known: Readonly<Record<string, () => string>> = {
    date_num: () => moment.toISOString().slice(0, 10),
    date_slash: () => date(moment, { day: '2-digit', month: '2-digit', year: 'numeric' }),
    date: middle,
    date_short: short,
    date_long: long,
    date_pretty: () => pretty(middle),
    date_short_pretty: () => pretty(short),
    date_long_pretty: () => pretty(long),
    time: () => date(moment, { hour: '2-digit', minute: '2-digit' }),
    time_secs: () => date(moment, { hour: '2-digit', minute: '2-digit', second: '2-digit' }),
    ago: () => ago(now - moment.getTime()),
  };
  return format.replace(/\{(\w+)\}/g, (whole, name: string) => known[name]?.() ?? whole);
}

function nearDay(moment: Date, now: number): string | undefined {
  const startOfDay = (time: number): number => new Date(time).setHours(0, 0, 0, 0);
  const days = Math.round((startOfDay(moment.getTime()) - startOfDay(now)) / DAY_MS);
  return { '-1': 'yesterday', '0': 'today', '1': 'tomorrow' }[String(days)];
}

function ago(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  const [count, unit] =
    minutes < 60
      ? [minutes, 'minute']
      : minutes < 1440
        ? [Math.round(minutes / 60), 'hour']
        : [Math.round(minutes / 1440), 'day'];
  const words = `${count} ${unit}${count === 1 ? '' : 's'}`;
  return ms < 0 ? `in ${words}` : `${words} ago`;
}
