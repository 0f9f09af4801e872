import { describe, expect, it } from 'vitest';
import { coverageOf } from '../../src/reports/arithmetic.js';
import { renderHtml } from '../../src/reports/render-html.js';
import type { ReportData } from '../../src/reports/report-data.js';

const data = (object: string): ReportData => ({
  schema: 'sallyport.report/1',
  kind: 'weekly',
  reportId: '00000000-0000-4000-8000-000000000000',
  period: {
    label: '2026-W48',
    from: '2026-11-23T00:00:00.000Z',
    to: '2026-11-30T00:00:00.000Z',
    timeZone: 'UTC',
    complete: true,
  },
  generatedAt: '2026-11-30T02:00:00.000Z',
  software: '0.1.0',
  coverage: coverageOf(2, { clean: 1, infected: 1 }),
  reviews: { opened: 1, decided: 0, openAtEnd: 1, oldestOpenSince: '2026-11-24T10:00:00.000Z' },
  findingsByRule: [],
  decisions: [],
  decisionsTotal: 0,
  notClean: [
    {
      objectId: 'x',
      object,
      verdict: 'infected',
      reason: 'malware_found',
      uploadedAt: '2026-11-24T10:00:00.000Z',
      decision: null,
      action: null,
    },
  ],
  notCleanTotal: 1,
  engines: [],
});

describe('the HTML report', () => {
  it('shows the coverage equation and that it adds up', () => {
    expect(renderHtml(data('uploads/a.txt'))).toContain(
      '2 uploaded = 1 clean + 1 infected &nbsp; <span class="ok">✓ adds up</span>',
    );
  });

  it('counts copies that a release wrote apart, on both sides', () => {
    const copied = {
      ...data('uploads/a.txt'),
      coverage: coverageOf(2, { clean: 1, skipped: 1 }, { opened: 1, accountedFor: 1 }),
    };
    const html = renderHtml(copied);
    expect(html).toContain(
      '2 uploaded + 1 copy written by a release = 1 clean + 1 skipped + 1 copy written by a release &nbsp; <span class="ok">✓ adds up</span>',
    );
    expect(html).toContain('1 needed no scan');
    expect(coverageOf(2, { clean: 2 }, { opened: 0, accountedFor: 1 })).toMatchObject({ gap: -1 });
  });

  it('says how many uploads nobody can account for', () => {
    const lost = { ...data('uploads/a.txt'), coverage: coverageOf(3, { clean: 1 }) };
    expect(renderHtml(lost)).toContain('✕ 2 not accounted for');
  });

  it('makes hostile object names inert', () => {
    const html = renderHtml(data('uploads/<script>alert(1)</script>"\u202Egnp.exe\n'));
    expect(html).toContain('uploads/&lt;script&gt;alert(1)&lt;/script&gt;&quot;\\u{202e}gnp.exe\\u{a}');
    expect(html).not.toContain('<script');
    expect(html).not.toContain('\u202E');
  });

  it('says a reason in words, and names the rule that skipped an upload as it is', () => {
    expect(renderHtml(data('uploads/a.txt'))).toContain('<td>malware found</td>');
    const said = (reason: string) => {
      const report = data('uploads/a.txt');
      const notClean = report.notClean.map((row) => ({ ...row, verdict: 'skipped' as const, reason }));
      return renderHtml({ ...report, notClean });
    };
    expect(said('no_thumbs')).toContain('<td>rule no_thumbs</td>');
    expect(said('released_by_review')).toContain('<td>released by review</td>');
  });

  it('loads nothing from anywhere', () => {
    expect(renderHtml(data('uploads/a.txt'))).not.toMatch(/https?:|src=|url\(/);
  });
});
