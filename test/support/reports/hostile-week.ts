import type { ReportData } from '../../../src/reports/data/report-data.js';
import { ordinaryWeek } from './ordinary-week.js';
import { decision } from './parts.js';

const LONGEST_KEY = `uploads/${'äß/'.repeat(200)}${'x'.repeat(16)}`;

/** Texts that strangers may choose: markup, directions, hidden characters, other scripts, emoji, the longest key. */
export const HOSTILE_TEXTS = [
  '<script>alert(1)</script>"\'&',
  '<img src=x onerror=alert(1)>',
  'invoice\u202Egnp.exe',
  'zero\u200Bwidth\uFEFFjoin\u200D',
  'line\nbreak\r\ttab\u0000nul',
  '=HYPERLINK("https://evil.example","click")',
  'https://evil.example/login?user=@admin',
  'שלום עולם (1).pdf',
  'مرحبا بالعالم 2026.docx',
  '报告-最终版.xlsx',
  'レポート 한국어',
  'Ελληνικά и кириллица',
  '👩‍💻 🎉 𝔘𝔫𝔦 𐍈',
  '\uD800 lone',
  LONGEST_KEY,
] as const;

/** An ordinary week in which every text of a stranger is one of these. */
export function hostileWeek(): ReportData {
  let next = 0;
  const hostile = (value: unknown, key = ''): unknown => {
    if (Array.isArray(value)) return value.map((item) => hostile(item, key));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, hostile(item, name)]));
    if (typeof value !== 'string' || !STRANGERS.has(key)) return value;
    next += 1;
    return HOSTILE_TEXTS[next % HOSTILE_TEXTS.length];
  };
  const week = ordinaryWeek();
  const many = {
    ...week,
    decisions: { ...week.decisions, rows: [...week.decisions.rows, decision(14), decision(15)], total: 16 },
  };
  return hostile(many) as ReportData;
}

const STRANGERS: ReadonlySet<string> = new Set([
  'bucket',
  'buckets',
  'queue',
  'queues',
  'object',
  'reason',
  'note',
  'why',
  'policy',
  'title',
  'ruleId',
  'source',
  'holder',
  'by',
  'onBehalfOf',
  'decidedBy',
  'requester',
  'outcome',
  'task',
  'definition',
  'where',
  'owner',
  'approver',
  'justification',
  'actor',
  'subject',
  'what',
  'readBy',
  'comment',
  'organisation',
  'database',
  'version',
  'ref',
]);
