// node prove/quarter/make-report.mjs URL FROM TO: makes the report of that time with the built service's own parts, without
// its workflow, in a process that does nothing else, and says what it took.
import 'reflect-metadata';
import { Keyring } from '../../dist/access/keyring.js';
import { AuditCheckpoints } from '../../dist/audit/chain/checkpoints.js';
import { readConfig } from '../../dist/config.js';
import { Database } from '../../dist/database/database.js';
import { ReportBundles } from '../../dist/reports/bundle/report-bundles.js';
import { ReportMaker } from '../../dist/reports/report-maker.js';
import { ReportsService } from '../../dist/reports/reports.service.js';

const [, , url, from, to] = process.argv;
const key = Buffer.alloc(32, 'quarter');
const clock = { now: () => Number(to) };
const database = new Database(url, { maxConnections: 2 });
const config = readConfig({
  DATABASE_URL: url,
  SALLYPORT_KEY: key.toString('base64'),
  ORG_TIME_ZONE: 'Europe/Berlin',
});
const keyring = await Keyring.open(database, key, clock);
const reports = new ReportsService(config, database, { start: async () => undefined }, clock);
const checkpoints = new AuditCheckpoints(database, clock, keyring);
const maker = new ReportMaker(config, database, clock, reports, new ReportBundles(checkpoints));
const { id } = await reports.request(
  { kind: 'range', from: Number(from), to: Number(to) },
  { kind: 'system', id: 'proof' },
);
const mebibytes = () => Math.round(process.resourceUsage().maxRSS / 1024);
const timed = async (make) => {
  const began = performance.now();
  await make();
  return Math.round(performance.now() - began);
};
const startedMiB = mebibytes();
const before = process.cpuUsage();
const snapshotMs = await timed(() => maker.snapshot(id));
const renderMs = await timed(() => maker.render(id));
const signMs = await timed(() => maker.sign(id));
const { user, system } = process.cpuUsage(before);
const { decisions } = await maker.data(id);
await database.close();
const told = { startedMiB, snapshotMs, renderMs, signMs, cpuMs: Math.round((user + system) / 1000) };
process.stdout.write(`${JSON.stringify({ decisions: decisions.total, ...told, peakMiB: mebibytes() })}\n`);
