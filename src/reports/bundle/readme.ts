import type { ReportData } from '../data/report-data.js';

/** What is what in a bundle, what it proves and what it does not. */
export const readmeOf = ({ period, reportId }: ReportData): string => `Audit report ${period.label}
Report ${reportId}, ${period.from} to ${period.to} UTC (${period.timeZone})

report.html         the report; the accessible form
report.pdf          the same pages, to print and to file
report.json         everything that the report says; report.schema.json describes it
data/*.csv          the whole populations behind its figures: every row, not only those that the pages list
findings.sarif      what was found, for tools that read SARIF 2.1.0
events.ocsf.jsonl   findings and votes as OCSF 1.3 events, for a SIEM
controls.json       which section holds evidence for which requirement
audit.jsonl         the part of the audit record that holds the period's events, each chained to the one before
manifest.json       every file above with its SHA-256; manifest.sig is an Ed25519 signature over it
verify.mjs          checks all of that

To verify: unpack, then run "node verify.mjs" in this folder (Node 20 or newer, nothing else), or
"node verify.mjs FILE.zip" beside it. Compare the key that it prints with the one that you kept (or give it with --key):
"sallyport audit chain" on the service says it, and so does every checkpoint that was mailed or stored elsewhere. Whoever
changed these files can have changed the program, too: take it from a service or a release that you trust
("sallyport report verify" runs the same).

What it proves: that these files are the ones that the holder of the key signed, that none is missing or was added, and
that the events of the period are an unbroken part of the chain that the signed checkpoints confirm.

What it does not prove: that the service was told of everything (see the section on coverage for what was compared with
the buckets themselves), that whoever holds the key and the database could not have written another history before it
was signed and kept elsewhere, and that anybody read it.
`;
