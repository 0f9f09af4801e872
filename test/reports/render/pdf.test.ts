import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReportData } from '../../../src/reports/data/report-data.js';
import { renderPdf } from '../../../src/reports/render/pdf/render.js';
import { emptyWeek } from '../../support/reports/empty-week.js';
import { HOSTILE_TEXTS, hostileWeek } from '../../support/reports/hostile-week.js';
import { ordinaryWeek } from '../../support/reports/ordinary-week.js';
import { reportMeta } from '../../support/reports/parts.js';
import { stormWeek } from '../../support/reports/storm-week.js';
import { anyReport } from './any-report.js';

const pdf = (data: ReportData): Promise<Buffer> => renderPdf(data, reportMeta);

/** The objects of a document as text, its streams unpacked. */
function unpacked(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  return text.replace(/stream\n([\s\S]*?)\nendstream/g, (whole, body: string) => {
    const packed = Buffer.from(body, 'latin1');
    return packed[0] === 0x78 ? `stream\n${inflateSync(packed).toString('latin1')}\nendstream` : whole;
  });
}

interface Cost {
  readonly cpuMs: number;
  readonly peakMiB: number;
}

/** What drawing a week takes in a process of its own. */
function costOf(week: string): Cost {
  const [run, program] = ['run-typescript.mjs', 'reports/render-cost.ts'].map((name) =>
    fileURLToPath(new URL(`../../support/${name}`, import.meta.url)),
  );
  return JSON.parse(execFileSync(process.execPath, [run!, program!, week]).toString()) as Cost;
}

const hasPoppler = existsSync('/usr/bin/pdftotext');
const poppler = (tool: string, args: readonly string[], bytes: Buffer): string =>
  execFileSync(`/usr/bin/${tool}`, [...args], { input: bytes, maxBuffer: 1 << 28 }).toString();
const textOf = (bytes: Buffer): string => poppler('pdftotext', ['-layout', '-', '-'], bytes);

// Some documents of many pages each; on a busy machine that is no matter of seconds.
describe('the PDF of a report', { timeout: 180_000 }, () => {
  it('is drawn of any report', async () => {
    await fc.assert(
      fc.asyncProperty(anyReport, async (data) => {
        const bytes = await pdf(data);
        expect(bytes.subarray(0, 8).toString()).toBe('%PDF-1.7');
        expect(bytes.subarray(-6).toString()).toBe('%%EOF\n');
      }),
      { numRuns: 5 },
    );
  });

  it('is the same bytes for the same report', async () => {
    expect((await pdf(hostileWeek())).equals(await pdf(hostileWeek()))).toBe(true);
    const later = await renderPdf(hostileWeek(), { ...reportMeta, generatedAt: '2026-12-01T02:00:00.000Z' });
    expect((await pdf(hostileWeek())).equals(later)).toBe(false);
  });

  it('does nothing, opens nothing and leads nowhere', async () => {
    const objects = unpacked(await pdf(hostileWeek()));
    expect(objects).not.toMatch(
      /\/(URI|JavaScript|JS|Launch|OpenAction|AA|SubmitForm|GoToR|EmbeddedFile|Annot)\b/,
    );
    expect(objects).toContain('/Outlines');
  });

  it('marks every drawn thing as content of an element or as decoration', async () => {
    const objects = unpacked(await pdf(ordinaryWeek()));
    expect(objects).toMatch(/\/MarkInfo/);
    expect(objects).toMatch(/\/Marked true/);
    const pages = [...objects.matchAll(/stream\n([\s\S]*?)\nendstream/g)]
      .map(([, body]) => body ?? '')
      .filter((body) => / Tf\b/.test(body));
    expect(pages.length).toBeGreaterThan(5);
    for (const page of pages) {
      let depth = 0;
      for (const line of page.split('\n')) {
        if (/ (BDC|BMC)$/.test(line)) depth += 1;
        else if (line === 'EMC') depth -= 1;
        else if (/(TJ|Tj|^f|^S)$/.test(line)) expect(depth).toBeGreaterThan(0);
      }
      expect(depth).toBe(0);
    }
  });

  it.skipIf(!hasPoppler)(
    'has a structure that a reader finds: headings, tables with headings, figures',
    async () => {
      const bytes = await pdf(ordinaryWeek());
      expect(poppler('pdfinfo', ['-'], bytes)).toMatch(/Tagged:\s+yes/);
      const structure = poppler('pdfinfo', ['-struct-text', '-'], bytes);
      expect(structure).toMatch(/H1/);
      expect(structure).toMatch(/H2[\s\S]*"Coverage"/);
      expect(structure).toMatch(/Table[\s\S]*Caption[\s\S]*THead[\s\S]*TR[\s\S]*TH/);
      expect(structure.match(/Figure/g)).toHaveLength(3);
    },
  );

  it.skipIf(!hasPoppler)(
    'says what the page says, with numbers of pages and headings on each',
    async () => {
      const text = textOf(await pdf(stormWeek()));
      expect(text).toContain('The week was not all right.');
      expect(text).toContain('3 uploads not accounted for');
      expect(text).toContain('9,500 more, all in data/decisions.csv.');
      // Of the 500 uploads on the page, paper has 200.
      expect(text).toContain('11,920 more, all in data/uploads.csv.');
      expect(text).toContain('uploads/storm/199/payload.exe');
      expect(text).not.toContain('uploads/storm/200/payload.exe');
      const pages = text.split('\f').slice(0, -1);
      pages.forEach((page, index) => expect(page).toContain(`${index + 1} of ${pages.length}`));
      const register = pages.filter((page) => page.includes('release by Reviewer 1'));
      expect(register.length).toBeGreaterThan(30);
      for (const page of register) expect(page).toMatch(/Question\s+Outcome\s+Votes\s+Asked under/);
    },
    60_000,
  );

  it.skipIf(!hasPoppler)('holds every character of hostile names, and says what it leaves out', async () => {
    const week = hostileWeek();
    const longest = HOSTILE_TEXTS.at(-1)!;
    const key = `${'äß/'.repeat(66)}x`;
    const rows = [key, longest].map((object) => ({ ...week.decisions.rows[0]!, object }));
    const text = poppler(
      'pdftotext',
      ['-raw', '-', '-'],
      await pdf({ ...week, decisions: { ...week.decisions, rows } }),
    ).replace(/\s/g, '');
    expect(text).toContain(key);
    expect(text).toContain(
      `${longest.slice(0, 134)}…[${longest.length - 200}charactersleftout,wholeinreport.json]…${longest.slice(-66)}`,
    );
    expect(text).toContain('invoice\\u{202e}gnp.exe');
    expect(text).toContain('报告-最终版.xlsx');
    expect(text).toContain('レポート한국어');
    expect(text).toContain('Ελληνικάикириллица');
    expect(text).toContain('\\u{1f389}');
  });

  it('stays within bounds however long the names are that strangers chose', () => {
    // Without a bound it took 18 s and 2.1 GB; with it, less than half of these.
    const { cpuMs, peakMiB } = costOf('mixed');
    expect(cpuMs).toBeLessThan(11_000);
    expect(peakMiB).toBeLessThan(800);
  });

  it.skipIf(!hasPoppler)('is whole of an empty week', async () => {
    const text = textOf(await pdf(emptyWeek()));
    expect(text).toContain('0 uploaded = 0 with a verdict');
    expect(text).toContain('Nothing was decided in this period.');
    expect(text).not.toMatch(/NaN|undefined/);
  });
});
