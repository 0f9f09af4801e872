import { Cron, CronPattern } from 'croner';
import type { Instant } from '../../clock.js';
import { InvalidInput } from '../../errors.js';
import { isTimeZone, offsetAt } from '../../time-zone.js';

const MODE = '5-or-6-parts';
const MAX_CRON_LENGTH = 200;
// Farther from a change of the clocks than any zone's offset and any change together (Samoa left out a whole day).
const CLEAR_OF_CHANGES_MS = 48 * 3_600_000;
// A cron that names every second is walked through an hour that occurs twice, and no farther.
const MAX_STEPS = 200_000;

/**
 * The instants at which a cron is due in a time zone.
 *
 * - A local time that occurs once is due once.
 * - One that the clocks leave out in spring is due as much later as they leave out: 02:30 at 03:30. Where another time
 *   of the same cron falls on that instant it is due once.
 * - One that occurs twice in autumn is due at its first occurrence; when the cron asks for every hour, at both, so that
 *   "every 20 minutes" stays every 20 minutes.
 *
 * Croner reads the cron and walks through local times as if they were UTC; what the zone makes of them is decided here,
 * because croner leaves out the second hour for every cron.
 */
export class CronTimes {
  private readonly local: Cron;
  private readonly everyHour: boolean;

  /** @throws InvalidInput naming `cron` or `timeZone`. */
  constructor(
    cron: string,
    private readonly timeZone: string,
  ) {
    if (!isTimeZone(timeZone)) {
      throw InvalidInput.field('timeZone', 'is no IANA time zone, as Europe/Berlin or UTC is');
    }
    const pattern = parse(cron);
    this.everyHour = pattern.hour.every((due) => due === 1);
    this.local = new Cron(cron.trim(), { mode: MODE, utcOffset: 0 });
  }

  /** The first due instant after `after`; undefined when there is none until the year 10,000. */
  next(after: Instant): Instant | undefined {
    const from = Math.floor(after / 1000) * 1000;
    let local = from + this.offset(from) - this.lookBack(from);
    let best: Instant | undefined;
    for (let step = 0; step < MAX_STEPS; step++) {
      const next = this.local.nextRun(new Date(local))?.getTime();
      if (next === undefined) return best;
      const earliest = next - Math.max(...this.offsetsAround(next));
      if (best !== undefined && earliest >= best) return best;
      for (const instant of this.instantsOf(next)) {
        if (instant > after && (best === undefined || instant < best)) best = instant;
      }
      local = next;
    }
    return best;
  }

  /** The first `count` after `after`. */
  list(after: Instant, count: number): readonly Instant[] {
    const found: Instant[] = [];
    for (let at = this.next(after); at !== undefined && found.length < count; at = this.next(at))
      found.push(at);
    return found;
  }

  /** The last due instant in [`from`, `until`). */
  lastBefore(until: Instant, from: Instant): Instant | undefined {
    // Steps that double find it in a few looks, whether the cron is due each second or each year.
    for (let span = 1000; ; span *= 2) {
      const start = Math.max(from, until - span);
      let last: Instant | undefined;
      let next = this.next(start - 1);
      while (next !== undefined && next < until) {
        last = next;
        next = this.next(next);
      }
      if (last !== undefined || start <= from) return last;
    }
  }

  private offset(at: Instant): number {
    return offsetAt(this.timeZone, at);
  }

  /** The offsets before and after a change of the clocks near a local time; equal when there is none. */
  private offsetsAround(local: number): readonly [number, number] {
    return [this.offset(local - CLEAR_OF_CHANGES_MS), this.offset(local + CLEAR_OF_CHANGES_MS)];
  }

  private instantsOf(local: number): readonly Instant[] {
    const [before, after] = this.offsetsAround(local);
    const [early, late] = [local - before, local - after];
    if (before === after) return [early];
    const occurs = [early, late].filter((at) => at + this.offset(at) === local);
    if (occurs.length === 2) return this.everyHour ? occurs : [early];
    // Left out by the clocks: as if they had not been changed.
    return occurs.length === 1 ? occurs : [early];
  }

  /**
   * How far before an instant's local time those lie that may be due after it: later than usual where the clocks left
   * them out, or for the second time.
   */
  private lookBack(at: Instant): number {
    const here = this.offset(at);
    const change = Math.max(
      ...[-CLEAR_OF_CHANGES_MS, CLEAR_OF_CHANGES_MS].map((away) => Math.abs(this.offset(at + away) - here)),
    );
    if (change === 0) return 0;
    const isNear = [-change - 1000, change + 1000].some((away) => this.offset(at + away) !== here);
    return isNear ? change : 0;
  }
}

/** @throws InvalidInput naming `cron`. */
function parse(cron: string): CronPattern {
  const text = cron.trim();
  const fields = text.split(/\s+/);
  if (cron.length > MAX_CRON_LENGTH || fields.length < 5 || fields.length > 6) {
    throw InvalidInput.field(
      'cron',
      'must have 5 fields (minute, hour, day, month, weekday), or 6 with seconds in front',
    );
  }
  // Croner puts the present time in its place, so every reading would mean another cron.
  if (text.includes('?')) throw InvalidInput.field('cron', '? is not taken; write * for any');
  try {
    return new CronPattern(text, undefined, { mode: MODE });
  } catch (error) {
    const reason = (error as Error).message.replace(/^CronPattern: /, '');
    throw InvalidInput.field('cron', `cannot be read: ${reason}`, { cause: error });
  }
}
