import type { ReportData } from '../../data/report-data.js';
import type { Block, Cell, Line } from '../document.js';
import { minute, minuteOrDash, whole } from '../words.js';
import { AS_OF_MAKING, spreadTable } from './tables.js';

/** How the service itself did, and its audit record. */
export function healthBlocks({ health }: ReportData): Block[] {
  const { chain } = health;
  return [
    {
      kind: 'text',
      tone: 'soft',
      text: `${AS_OF_MAKING}: what became of the period's notifications, the open dead letters, the refused events, and how far the audit record is verified, signed and kept off this machine.`,
    },
    {
      kind: 'table',
      caption: 'Notifications',
      columns: [
        { heading: 'Channel', width: 3 },
        { heading: 'Sent', isNumber: true },
        { heading: 'Failed', isNumber: true },
        { heading: 'Waiting', isNumber: true },
      ],
      rows: health.notifications.map((row) => [row.channel, row.sent, warnAbove(row.failed), row.waiting]),
      empty: 'Nothing was sent.',
    },
    spreadTable('From upload to the start of its scan', [['Scans begun in the period', health.queueLag]]),
    {
      kind: 'facts',
      facts: [
        ['Mail that came back', warnAbove(health.bounced)],
        [
          'Dead letters',
          [
            toned(
              `${whole(health.deadLetters.new)} new, ${whole(health.deadLetters.open)} open`,
              health.deadLetters.open,
            ),
          ],
        ],
        ['Events refused', warnAbove(health.rejectedEvents)],
        ['Last backup (UTC)', health.lastBackupAt === null ? 'none is known' : minute(health.lastBackupAt)],
        [
          'Last restore (UTC)',
          health.lastRestoreAt === null ? 'none is known' : minute(health.lastRestoreAt),
        ],
      ],
    },
    { kind: 'heading', text: 'The audit record' },
    {
      kind: 'facts',
      facts: [
        ['Verified', [wholeness(chain)]],
        ['Chain', [{ text: chain.id, isCode: true }]],
        [
          'Events of the period',
          chain.from === null || chain.to === null
            ? 'none'
            : `number ${whole(chain.from)} to ${whole(chain.to)}`,
        ],
        ['Head', chain.head === null ? 'none' : [{ text: chain.head, isCode: true }]],
        ['Signed up to', `number ${whole(chain.signedUpTo)}`],
        ['Kept off this machine up to', `number ${whole(chain.anchoredUpTo)}`],
      ],
    },
  ];
}

const toned = (text: string, bad: number): Line => (bad > 0 ? { text, tone: 'warn' } : { text });
const warnAbove = (many: number): Cell => [toned(whole(many), many)];

function wholeness({ isWhole, verifiedAt }: ReportData['health']['chain']): Line {
  if (isWhole === null) return { text: '? nobody verified it in the period or since', tone: 'warn' };
  const at = `, verified ${minuteOrDash(verifiedAt)} UTC`;
  return isWhole
    ? { text: `✓ whole${at}`, tone: 'good', isStrong: true }
    : { text: `× broken${at}`, tone: 'bad', isStrong: true };
}
