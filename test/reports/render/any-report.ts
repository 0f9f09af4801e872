import fc from 'fast-check';
import { ReportData } from '../../../src/reports/data/report-data.js';
import { arbitraryOf } from '../../support/arbitrary-of.js';
import { HOSTILE_TEXTS } from '../../support/reports/hostile-week.js';

/** Any report that the schema takes, true or not, and with hostile texts wherever there is text. */
export const anyReport = arbitraryOf(
  ReportData,
  fc.oneof(
    fc.constantFrom(...HOSTILE_TEXTS),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ unit: fc.constantFrom('.', '/', '<', '&', '"', "'", '\u202e'), maxLength: 1024 }),
  ),
) as fc.Arbitrary<ReportData>;
