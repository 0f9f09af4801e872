import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ocsfLines, sarifLines } from '../../src/reports/bundle/for-tools.js';
import type { ReportData } from '../../src/reports/data/report-data.js';
import { csvOf } from '../../src/reports/population/population.js';
import { POPULATION_KINDS, populationOf } from '../../src/reports/population/populations.js';
import { takeSnapshot } from '../../src/reports/snapshot.js';
import { compareReport, figuresOf, recount } from './recount/compare.js';
import { readTables, type Week } from './recount/tables.js';
import { INBOUND, type Store } from './store.js';
import { TIME_ZONE, type World } from './world.js';

const VERIFIER = fileURLToPath(new URL('../../src/audit/export/verify.mjs', import.meta.url));
const DAY = 86_400_000;
/** Summer time ends in the night before this moment, at one o'clock in UTC. */
const WINTER = Date.UTC(2026, 9, 25, 1);

interface Row {
  readonly id: string;
  readonly label: string;
  readonly from: number;
  readonly to: number;
}

interface Stated extends Row {
  readonly data: ReportData;
  /** As last restated. */
  figures: Record<string, number>;
}

/** What every Monday must hold of the report of the week before, and of all that came before it. */
export class Mondays {
  readonly problems: string[] = [];
  readonly reports: Stated[] = [];
  compared = 0;
  equations = 0;
  restatements = 0;
  verified = 0;
  tampered = 0;
  listed = 0;
  private readonly digests = new Map<string, string>();
  /** What the verifier said last. */
  private lastWord = '';

  constructor(
    private readonly firstMonday: number,
    private readonly store: Store,
    private readonly folder: string,
  ) {}

  async look(world: World, number: number): Promise<void> {
    const rows = await world.database.query<Row & Record<string, unknown>>(
      `SELECT id, label, period_from::float8 AS from, period_to::float8 AS to FROM report ORDER BY period_from`,
    );
    this.hold(rows.length === number + 1, `${rows.length} reports after week ${number + 1}`);
    const row = rows.at(-1);
    if (row === undefined) return;
    const files = await this.files(world, rows);
    const text = files.get(`${row.id} report.json`);
    if (text === undefined) throw new Error(`${row.label} has no report.json`);
    const data = JSON.parse(text.toString('utf8')) as ReportData;
    const week = this.weekOf(number);
    this.checkPeriod(row, data, week, number);
    this.checkEquations(data);
    this.checkNeighbour(data);
    this.checkInventory(data, week);
    const tables = await readTables(world.database);
    const counted = recount(tables, week);
    const { compared, problems } = compareReport(data, counted);
    this.compared += compared;
    this.problems.push(...problems);
    this.checkRestated(data, (span) => figuresOf(recount(tables, span)));
    this.reports.push({ ...row, data, figures: { ...figuresOf(counted) } });
    await this.checkAgain(world, row, text, files);
    this.checkBundle(row, files.get(`${row.id} bundle.zip`));
  }

  private hold(isSo: boolean, problem: string): void {
    if (!isSo) this.problems.push(problem);
  }

  /** Midnight in Berlin, two hours before that of UTC in summer and one in winter. */
  private weekOf(number: number): Week {
    const midnight = (day: number): number => day - (day < WINTER ? 2 : 1) * 3_600_000;
    const monday = this.firstMonday + number * 7 * DAY;
    return { from: midnight(monday), to: midnight(monday + 7 * DAY) };
  }

  private checkPeriod(row: Row, { period, asOf }: ReportData, week: Week, number: number): void {
    const first = Math.round((this.firstMonday - Date.UTC(2026, 7, 31)) / (7 * DAY)) + 36;
    this.hold(row.label === `2026-W${first + number}`, `week ${number + 1} is called ${row.label}`);
    this.hold(row.from === week.from && row.to === week.to, `${row.label} is of another time`);
    const said = [Date.parse(period.from), Date.parse(period.to), Date.parse(asOf), period.label];
    this.hold(
      said.join() === [week.from, week.to, week.to, row.label].join() && period.complete,
      `${row.label} says another period`,
    );
    const before = this.reports.at(-1);
    this.hold(before === undefined || before.to === row.from, `${row.label} does not join the one before`);
  }

  /** Each equation, wherever in the report it stands; and that it is true, not only said to be. */
  private checkEquations(data: ReportData): void {
    const { label } = data.period;
    const walk = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      for (const [name, inner] of Object.entries(value)) {
        if (name === 'addsUp') {
          this.equations += 1;
          this.hold(inner === true, `${label} ${path} does not add up`);
        }
        walk(inner, `${path}.${name}`);
      }
    };
    walk(data, '');
    const { coverage, findings, people } = data;
    const { pending, byVerdict, uploaded, copies } = coverage;
    const { balance } = findings;
    const sums: Readonly<Record<string, number>> = {
      coverage:
        uploaded + copies.opened - copies.accountedFor - Object.values(byVerdict).reduce((a, b) => a + b, 0),
      pending: pending.opening + pending.uploaded - pending.settled - pending.closing,
      findings: balance.opening + balance.new + balance.reopened - balance.closed - balance.closing,
      reviews:
        people.balance.opening +
        people.balance.created -
        people.balance.decided -
        people.balance.ended -
        people.balance.closing,
    };
    for (const [name, left] of Object.entries(sums))
      this.hold(left === 0, `${label} ${name}: ${left} too many`);
  }

  /** What was open when one week ended is what was open when the next one began, with what was restated between. */
  private checkNeighbour({ findings, people, coverage, period, restated, previous }: ReportData): void {
    const before = this.reports.at(-1);
    if (before === undefined) return;
    this.hold(previous?.reportId === before.id, `${period.label} names another report as the one before`);
    const stated = (figure: string, value: number): number =>
      restated.find((row) => row.reportId === before.id && row.figure === figure)?.now ?? value;
    const pairs = [
      [
        'findings',
        findings.balance.opening,
        stated('findings.closing', before.data.findings.balance.closing),
      ],
      ['reviews', people.balance.opening, stated('reviews.closing', before.data.people.balance.closing)],
    ] as const;
    for (const [name, opening, closing] of pairs)
      this.hold(
        opening === closing,
        `${period.label} ${name}: opens with ${opening}, closed with ${closing}`,
      );
    // The balance of what waits is of uploads; one that was folded since is no upload any more.
    this.hold(
      coverage.pending.opening <= before.data.coverage.pending.closing,
      `${period.label} coverage: more wait than waited`,
    );
  }

  /** The bucket's own count: what S3 dates into the week and has still. */
  private checkInventory({ coverage, period }: ReportData, { from, to }: Week): void {
    for (const { bucket, listed, state } of coverage.inventory) {
      const there = [...this.store.datedInto(bucket, from, to)].length;
      this.listed += there;
      this.hold(state === 'compared', `${period.label} ${bucket} was not compared: ${state}`);
      this.hold(listed === there, `${period.label} ${bucket}: listed ${listed}, there are ${there}`);
    }
    const names = coverage.inventory.map(({ bucket }) => bucket);
    this.hold(names.includes(INBOUND), `${period.label} lists ${names.join()}`);
  }

  /** All that changed of what earlier reports said is restated, and nothing else; then it is said so from then on. */
  private checkRestated(
    { restated, period }: ReportData,
    now: (span: Week) => Readonly<Record<string, number>>,
  ): void {
    const wanted: string[] = [];
    for (const report of this.reports) {
      const figures = now(report);
      for (const [figure, value] of Object.entries(figures))
        if (report.figures[figure] !== value)
          wanted.push(`${report.label} ${figure} ${report.figures[figure]} ${value}`);
      report.figures = { ...figures };
    }
    const said = restated.map((row) => `${row.label} ${row.figure} ${row.stated} ${row.now}`);
    this.restatements += said.length;
    for (const line of wanted) this.hold(said.includes(line), `${period.label} does not restate ${line}`);
    for (const line of said) this.hold(wanted.includes(line), `${period.label} restates ${line}`);
  }

  /** Reads every file of every report; what was read on an earlier Monday must be the same. */
  private async files(world: World, reports: readonly Row[]): Promise<ReadonlyMap<string, Buffer>> {
    const parts = await world.database.query<{ report_id: string; name: string; content: Buffer }>(
      'SELECT report_id, name, content FROM report_part ORDER BY report_id, name, part',
    );
    const pieces = new Map<string, Buffer[]>();
    for (const { report_id: id, name, content } of parts) {
      const key = `${id} ${name}`;
      pieces.set(key, [...(pieces.get(key) ?? []), content]);
    }
    const files = new Map([...pieces].map(([key, all]) => [key, Buffer.concat(all)]));
    for (const [key, content] of files) {
      const digest = createHash('sha256').update(content).digest('hex');
      const label = reports.find(({ id }) => key.startsWith(id))?.label;
      this.hold((this.digests.get(key) ?? digest) === digest, `${label}: ${key.slice(37)} was changed`);
      this.digests.set(key, digest);
    }
    for (const key of this.digests.keys()) this.hold(files.has(key), `${key} is gone`);
    return files;
  }

  /** The report made twice more by the state of now: the data files are the same, byte by byte. */
  private async checkAgain(
    world: World,
    { id, label, from, to }: Row,
    text: Buffer,
    files: ReadonlyMap<string, Buffer>,
  ): Promise<void> {
    const now = to + 2 * 3_600_000;
    const made = await world.database.transaction(async (tx) => {
      await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
      const texts: string[] = [];
      for (let turn = 0; turn < 2; turn += 1) {
        const { data } = await takeSnapshot(tx, {
          reportId: id,
          kind: 'weekly',
          label,
          from,
          to,
          timeZone: TIME_ZONE,
          organisation: '',
          scheduled: true,
          now,
        });
        texts.push(`${JSON.stringify(data, null, 2)}\n`);
      }
      const again = new Map<string, string>();
      const range = { from, to };
      for (const kind of POPULATION_KINDS)
        again.set(`data/${kind}.csv`, await joined(csvOf(populationOf(kind), tx, range)));
      again.set('findings.sarif', await joined(sarifLines(tx, range)));
      again.set('events.ocsf.jsonl', await joined(ocsfLines(tx, range)));
      return { texts, again };
    });
    const [first, second] = made.texts;
    this.hold(first === second, `${label}: made twice, it is not the same`);
    this.hold(first === text.toString('utf8'), `${label}: made again, it is not what was stored`);
    for (const [name, content] of made.again)
      this.hold(
        files.get(`${id} ${name}`)?.toString('utf8') === content,
        `${label}: ${name} made again is not what was stored`,
      );
  }

  /** The archive as an auditor takes it home: it verifies, and with one byte changed it does not. */
  private checkBundle({ label }: Row, bundle: Buffer | undefined): void {
    if (bundle === undefined) {
      this.problems.push(`${label} has no bundle`);
      return;
    }
    const verify = (content: Buffer): number | null => {
      const file = join(this.folder, `report-${label}.zip`);
      writeFileSync(file, content);
      const { status, stdout, stderr } = spawnSync(process.execPath, [VERIFIER, file], { encoding: 'utf8' });
      this.lastWord = `${stdout}${stderr}`;
      return status;
    };
    this.hold(verify(bundle) === 0, `${label}: the bundle does not verify: ${this.lastWord.trim()}`);
    this.verified += 1;
    const forged = Buffer.from(bundle);
    const at = Math.floor(bundle.length * 0.37);
    forged[at] = (forged[at] ?? 0) ^ 1;
    this.hold(verify(forged) !== 0, `${label}: byte ${at} of the bundle can be changed`);
    this.tampered += 1;
  }
}

async function joined(pieces: AsyncIterable<string | Uint8Array>): Promise<string> {
  const gathered: Buffer[] = [];
  for await (const piece of pieces) gathered.push(Buffer.from(piece));
  return Buffer.concat(gathered).toString('utf8');
}
