import type { Control, ControlId } from '../../../src/reports/data/controls.js';
import { LISTED_ROWS } from '../../../src/reports/data/parts.js';
import type { ReportData } from '../../../src/reports/data/report-data.js';
import { ordinaryWeek } from './ordinary-week.js';
import { ageing, at, decision, id, verdicts } from './parts.js';

/** 10,000 decisions of which 500 are listed, with what goes wrong in such a week. */
export function stormWeek(): ReportData {
  const week = ordinaryWeek();
  const rows = Array.from({ length: LISTED_ROWS }, (_, number) => ({
    ...decision(number),
    failed: number < 12 ? ['self_approval'] : [],
    votes: Array.from({ length: 1 + (number % 3) }, (__, vote) => ({
      ...decision(number).votes[0]!,
      by: `Reviewer ${vote + 1}`,
      byId: id(10 + vote),
    })),
  }));
  const failing: Partial<Record<ControlId, Control['result']>> = {
    self_approval: 'fail',
    uploads_unaccounted: 'fail',
    scanner_outage: 'fail',
    automatic_decision: 'note',
    chain_broken: 'unknown',
  };
  return {
    ...week,
    coverage: {
      ...week.coverage,
      uploaded: 52_123,
      byVerdict: verdicts({ clean: 40_000, infected: 11_900, secrets: 200, pending: 20 }),
      accountedFor: 52_120,
      gap: 3,
      addsUp: false,
      copies: { opened: 0, accountedFor: 0 },
      groups: { clean: 40_000, found: 12_100, notWhole: 0, notScanned: 0, pending: 20 },
      pending: { opening: 1, uploaded: 52_123, settled: 52_104, closing: 20, addsUp: true },
      inventory: week.coverage.inventory.map((row) =>
        row.bucket === 'partners'
          ? {
              ...row,
              state: 'not_compared' as const,
              why: 'It is listed from tomorrow on.',
              listedAt: null,
              listed: 0,
              known: 0,
            }
          : row,
      ),
      gaps: {
        total: 3,
        file: 'data/gaps.csv',
        rows: [1, 2, 3].map((number) => ({
          what: 'no_verdict',
          object: `uploads/lost-${number}`,
          at: at(3),
          note: 'Intake accepted it; the ledger has no row.',
        })),
      },
      notClean: {
        total: 12_120,
        file: 'data/uploads.csv',
        rows: Array.from({ length: LISTED_ROWS }, (_, number) => ({
          ...week.coverage.notClean.rows[0]!,
          objectId: id(20_000 + number),
          object: `uploads/storm/${number}/payload.exe`,
        })),
      },
    },
    scanning: {
      ...week.scanning,
      outages: [{ engine: 'clamav', from: at(2, 3), to: at(2, 7, 30), verdicts: 812 }],
      signatureAge: { ...week.scanning.signatureAge, verdicts: 52_100, unknown: 12, overLimit: 40 },
    },
    people: {
      ...week.people,
      balance: { opening: 9, created: 10_100, decided: 10_000, ended: 9, closing: 100, addsUp: false },
      sla: [{ queue: 'security', severity: 'high', met: 9_100, breached: 900 }],
      ageing: ageing([20, 30, 25, 15, 7, 2]),
    },
    decisions: { total: 10_000, file: 'data/decisions.csv', rows, sample: { seed: '2026-W48', size: 60 } },
    controls: week.controls.map((one) => {
      const result = failing[one.id];
      return result === undefined
        ? { ...one, population: 10_000 }
        : {
            ...one,
            population: 10_000,
            result,
            exceptions:
              result === 'unknown'
                ? one.exceptions
                : {
                    total: 12,
                    file: 'data/controls.csv',
                    rows: rows.slice(0, 12).map((row) => ({
                      id: row.reviewId,
                      what: row.title,
                      at: row.decidedAt,
                      note: `${row.decidedBy} uploaded it too.`,
                    })),
                  },
          };
    }),
    exceptions: { ...week.exceptions, expiring: 2 },
    health: {
      ...week.health,
      bounced: 3,
      deadLetters: { new: 4, open: 4 },
      chain: { ...week.health.chain, isWhole: null, verifiedAt: null },
    },
    previous: {
      ...week.previous!,
      reading: 'overdue',
      readBy: null,
      readAt: null,
      outcome: null,
      comment: null,
    },
    restated: [{ reportId: id(46), label: '2026-W47', figure: 'uploads', stated: 1190, now: 1193 }],
  };
}
