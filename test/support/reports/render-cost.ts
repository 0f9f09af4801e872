// node test/support/run-typescript.mjs test/support/reports/render-cost.ts WEEK: draws the PDF of one week in a process that
// does nothing else, and says what it took.
import { renderPdf } from '../../../src/reports/render/pdf/render.js';
import { longNamesWeek } from './long-names-week.js';
import { reportMeta } from './parts.js';
import { stormWeek } from './storm-week.js';

const WEEKS = {
  storm: stormWeek,
  plain: () => longNamesWeek('k'),
  mixed: () => longNamesWeek('aא1 ('),
  hidden: () => longNamesWeek('\u{e0041}'),
} as const;

const [, , name = 'storm'] = process.argv;
const data = WEEKS[name as keyof typeof WEEKS]();
const mebibytes = (): number => Math.round(process.resourceUsage().maxRSS / 1024);
const startedMiB = mebibytes();
const before = process.cpuUsage();
const bytes = await renderPdf(data, reportMeta);
const { user, system } = process.cpuUsage(before);
const told = { startedMiB, cpuMs: Math.round((user + system) / 1000), peakMiB: mebibytes() };
process.stdout.write(`${JSON.stringify({ ...told, kilobytes: Math.round(bytes.length / 1000) })}\n`);
