import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reportMail } from '../../../src/reports/render/mail.js';
import { emptyWeek } from '../../support/reports/empty-week.js';
import { hostileWeek } from '../../support/reports/hostile-week.js';
import { ordinaryWeek } from '../../support/reports/ordinary-week.js';
import { reportMeta } from '../../support/reports/parts.js';
import { stormWeek } from '../../support/reports/storm-week.js';
import { anyReport } from './any-report.js';

// Gmail cuts off what is longer.
const MOST_BYTES = 100_000;

describe('the mail of a report', () => {
  it('stays below what mail readers cut off, whatever the report holds', () => {
    fc.assert(
      fc.property(anyReport, (data) => {
        const { subject, text, html } = reportMail(data, reportMeta);
        expect(Buffer.byteLength(html)).toBeLessThan(MOST_BYTES);
        expect(Buffer.byteLength(text)).toBeLessThan(MOST_BYTES);
        expect(subject.length).toBeLessThan(200);
        expect(subject).not.toMatch(/[\r\n\u202e]/);
      }),
      { numRuns: 100 },
    );
  });

  it('holds the longest lists of the longest texts in the most expensive characters', () => {
    const dots = '.'.repeat(1024);
    const week = stormWeek();
    const controls = Array.from({ length: 200 }, () => ({
      ...week.controls[0]!,
      title: dots,
      result: 'fail' as const,
    }));
    const inventory = Array.from({ length: 200 }, () => ({
      ...week.coverage.inventory[0]!,
      bucket: dots,
      addsUp: false,
    }));
    const data = { ...week, organisation: dots, controls, coverage: { ...week.coverage, inventory } };
    expect(Buffer.byteLength(reportMail(data, reportMeta).html)).toBeLessThan(MOST_BYTES);
  });

  it('says in its subject whether anything needs somebody', () => {
    expect(reportMail(ordinaryWeek(), reportMeta).subject).toBe(
      '[Sallyport] Audit report 2026-W48: all right',
    );
    expect(reportMail(stormWeek(), reportMeta).subject).toBe(
      '[Sallyport] Audit report 2026-W48: 5 things need somebody',
    );
  });

  it.each([
    ['ordinary', ordinaryWeek()],
    ['storm', stormWeek()],
    ['empty', emptyWeek()],
  ])('says every number of its HTML in its text too, of an %s week', (_, data) => {
    const { text, html } = reportMail(data, reportMeta);
    const body = html.slice(html.indexOf('<body'));
    const shown = body.replace(/<\/?span>/g, '').replace(/<[^>]*>/g, ' ');
    for (const number of shown.match(/\d+(?:[.,]\d+)*/g) ?? []) expect(text).toContain(number);
  });

  it('leads to the report, asks nothing and loads nothing', () => {
    const { text, html } = reportMail(hostileWeek(), reportMeta);
    expect([...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href)).toEqual([
      'https://sallyport.example/reports/00000000-0000-4000-8000-000000000047',
    ]);
    expect(text).toContain('https://sallyport.example/reports/');
    expect(html).not.toMatch(/<img|<script|url\(/);
  });

  it('makes no link of what a stranger wrote', () => {
    const week = ordinaryWeek();
    const { text, html } = reportMail({ ...week, organisation: 'https://evil.example <b>' }, reportMeta);
    expect(text).toContain('https[:]//evil[.]example <b>');
    expect(html).not.toContain('evil.example');
    expect(html).toContain('&lt;b&gt;');
  });
});
