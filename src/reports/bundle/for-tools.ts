import type { Queryable } from '../../database/queryable.js';
import { VERSION } from '../../ops/version.js';
import { resultOf, ruleOf, SARIF_SCHEMA, type SarifRule } from '../../verdicts/export/sarif.js';
import { decisions } from '../population/decisions.js';
import { findings, findingOf } from '../population/findings.js';
import { PAGE, type Range } from '../population/population.js';
import { Suppressions } from './suppressions.js';
import { knownBefore } from './known-before.js';
import { decisionActivity, detectionFinding } from './ocsf.js';

/**
 * The findings of a time as one SARIF log, written result by result; the rules, which the results name, come last. What was
 * known before the time is `unchanged`; what nobody accepted yet, or somebody refused to accept, is no suppression in force.
 */
export async function* sarifLines(db: Queryable, range: Range): AsyncGenerator<string> {
  const indexes = new Map<string, number>();
  const rules: SarifRule[] = [];
  const suppressions = await Suppressions.of(db, range);
  yield `{"$schema":${JSON.stringify(SARIF_SCHEMA)},"version":"2.1.0","runs":[{"results":[`;
  let comma = '';
  for await (const page of inPages(findings.rows(db, range))) {
    const known = await knownBefore(
      db,
      range.from,
      page.map(({ fingerprint }) => fingerprint),
    );
    for (const row of page) {
      const finding = findingOf(row);
      const index = indexes.get(finding.ruleId) ?? rules.push(ruleOf(finding)) - 1;
      indexes.set(finding.ruleId, index);
      const result = {
        ...resultOf(finding, index),
        ...suppressions.of(row),
        baselineState: known.has(row.fingerprint) ? 'unchanged' : 'new',
      };
      yield `${comma}\n${JSON.stringify(result)}`;
      comma = ',';
    }
  }
  const driver = { name: 'Sallyport', version: VERSION, rules };
  yield `\n],"tool":${JSON.stringify({ driver })}}]}\n`;
}

/** Findings and votes of a time for a SIEM: one OCSF event a line. */
export async function* ocsfLines(db: Queryable, range: Range): AsyncGenerator<string> {
  for await (const row of findings.rows(db, range)) yield `${JSON.stringify(detectionFinding(row))}\n`;
  for await (const row of decisions.rows(db, range)) yield `${JSON.stringify(decisionActivity(row))}\n`;
}

/** What is asked about many at once costs as much as about one. */
async function* inPages<Row>(rows: AsyncIterable<Row>): AsyncGenerator<readonly Row[]> {
  let page: Row[] = [];
  for await (const row of rows) {
    page.push(row);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
