import type { ReportData } from '../../../src/reports/data/report-data.js';
import { LISTED_ROWS } from '../../../src/reports/data/parts.js';
import { at, decision, id } from './parts.js';
import { stormWeek } from './storm-week.js';

const LONGEST_KEY_BYTES = 1024;

/** A storm in which every listed object has a key as long as S3 lets it be, made of this text over and over. */
export function longNamesWeek(part: string): ReportData {
  const longest = part.repeat(Math.floor((LONGEST_KEY_BYTES - 3) / Buffer.byteLength(part)));
  const objects = Array.from({ length: LISTED_ROWS }, (_, number) => `uploads/${longest}${number}`);
  const week = stormWeek();
  return {
    ...week,
    coverage: {
      ...week.coverage,
      gaps: {
        total: 9000,
        file: 'data/uploads.csv',
        rows: objects.map((object) => ({
          what: 'no_event',
          object,
          at: at(1, 2),
          note: 'found by comparing',
        })),
      },
      notClean: {
        total: 9000,
        file: 'data/uploads.csv',
        rows: objects.map((object, number) => ({
          objectId: id(5000 + number),
          object,
          verdict: 'infected',
          reason: 'malware_found',
          uploadedAt: at(1, 2),
          sizeBytes: 1,
          decision: null,
          action: null,
        })),
      },
    },
    decisions: {
      ...week.decisions,
      rows: objects.map((object, number) => ({ ...decision(number), object })),
    },
  };
}
