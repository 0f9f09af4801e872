import type { ReportData, ReportMeta } from '../../data/report-data.js';
import type { Block, Cell } from '../document.js';
import { minute } from '../words.js';

/** Of what the report tells, from when to when, and by whom it was made. */
export function aboutBlocks(data: ReportData, meta: ReportMeta): Block[] {
  const { period, scope, previous, scanning } = data;
  const facts: [string, Cell][] = [
    [
      'Period',
      `${minute(period.from)} to ${minute(period.to)} UTC, without the last moment; days of ${period.timeZone}`,
    ],
    ['Facts as of', `${minute(data.asOf)} UTC${period.complete ? '' : ': the period was not over'}`],
    ['Buckets', lines(scope.buckets.map(({ endpointId, bucket }) => `${endpointId}: ${bucket}`))],
    ['Queues', lines(scope.queues)],
    ['Made', `${minute(meta.generatedAt)} UTC, asked for by ${meta.requestedBy}`],
    ['Software', `Sallyport ${data.software}`],
    [
      'Engines',
      lines(
        scanning.engines.map(
          ({ name, version, database }) =>
            `${name} ${version}${database === null ? '' : `, signatures ${database}`}`,
        ),
      ),
    ],
    ['Report', [{ text: data.reportId, isCode: true }]],
    [
      'The one before',
      previous === null
        ? 'none of this kind'
        : [
            { text: previous.label },
            { text: previous.reportId, isCode: true },
            {
              text: previous.sha256 === null ? 'digest not known' : `SHA-256 ${previous.sha256}`,
              isCode: true,
            },
          ],
    ],
  ];
  if (data.organisation !== '') facts.unshift(['Organisation', data.organisation]);
  return [{ kind: 'facts', facts }];
}

const lines = (texts: readonly string[]): Cell =>
  texts.length === 0 ? 'none' : texts.map((text) => ({ text }));
