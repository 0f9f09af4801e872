import { durationText } from '../../../outbound/safe-text.js';
import type { ReportData } from '../../data/report-data.js';
import type { Block } from '../document.js';
import { minute, percent, spanOrDash, whole } from '../words.js';

/** With what was scanned, how old its signatures were, and when it did not work. */
export function scanningBlocks({ scanning }: ReportData): Block[] {
  const { signatureAge: age } = scanning;
  return [
    {
      kind: 'table',
      caption: 'Engines that looked',
      columns: [
        { heading: 'Engine', width: 1.5 },
        { heading: 'Version', width: 1.5 },
        { heading: 'Signatures', width: 2.5 },
        { heading: 'Verdicts', isNumber: true },
      ],
      rows: scanning.engines.map((engine) => [
        engine.name,
        engine.version,
        engine.database ?? '–',
        engine.verdicts,
      ]),
      empty: 'No engine looked at anything in this period.',
    },
    { kind: 'heading', text: 'Age of the signatures' },
    {
      kind: 'facts',
      facts: [
        ['Verdicts looked at', `${whole(age.verdicts)}, for which malware was looked for`],
        ['Half were at most', spanOrDash(age.p50Ms)],
        ['Oldest', spanOrDash(age.maxMs)],
        ['Limit', durationText(age.limitMs)],
        [
          'Over the limit',
          [
            {
              text: `${whole(age.overLimit)} (${percent(age.overLimit, age.verdicts)})`,
              ...(age.overLimit > 0 ? { tone: 'bad' as const } : {}),
            },
          ],
        ],
        [
          'Age not known',
          [{ text: whole(age.unknown), ...(age.unknown > 0 ? { tone: 'warn' as const } : {}) }],
        ],
      ],
    },
    {
      kind: 'table',
      caption: 'Times in which scans failed for want of an engine',
      columns: [
        { heading: 'Engine', width: 1.5 },
        { heading: 'From (UTC)' },
        { heading: 'To (UTC)' },
        { heading: 'For' },
        { heading: 'Verdicts', isNumber: true },
      ],
      rows: scanning.outages.map((outage) => [
        outage.engine,
        minute(outage.from),
        minute(outage.to),
        durationText(Date.parse(outage.to) - Date.parse(outage.from)),
        outage.verdicts,
      ]),
      empty: 'None.',
    },
  ];
}
