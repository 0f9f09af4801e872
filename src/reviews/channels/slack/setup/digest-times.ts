import type { Config } from '../../../../config.js';
import type { DigestSchedule } from '../digests/digest-schedule.js';

/** When channels are told how their reviews stand, for people; null where they are not. */
export interface DigestTimes {
  readonly daily: string | null;
  readonly weekly: string | null;
  readonly timeZone: string;
}

const DAYS = ['Sundays', 'Mondays', 'Tuesdays', 'Wednesdays', 'Thursdays', 'Fridays', 'Saturdays'];

export const digestTimes = (
  config: Pick<Config, 'SLACK_DIGEST_DAILY' | 'SLACK_DIGEST_WEEKLY' | 'ORG_TIME_ZONE'>,
): DigestTimes => ({
  daily: timeOf(config.SLACK_DIGEST_DAILY),
  weekly: timeOf(config.SLACK_DIGEST_WEEKLY),
  timeZone: config.ORG_TIME_ZONE,
});

function timeOf(schedule: DigestSchedule | undefined): string | null {
  if (schedule === undefined) return null;
  const { days, minute } = schedule;
  const two = (value: number): string => String(value).padStart(2, '0');
  const on = days.length === 1 ? DAYS[days[0] ?? 0] : 'working days';
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)} on ${on}`;
}
