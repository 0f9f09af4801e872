import type { Mapping } from './data/controls.js';

type Sections = Mapping['sections'];

const of =
  (framework: Mapping['framework']) =>
  (control: string, sections: Sections, evidence: string): Mapping => ({
    framework,
    control,
    sections,
    evidence,
  });

const soc2 = of('SOC 2');
const iso = of('ISO 27001:2022');
const pci = of('PCI DSS 4.0.1');

/**
 * For which requirements a section holds evidence, and where its rows come from. It says that the evidence is there, never
 * that a requirement is met.
 */
export const MAPPINGS: readonly Mapping[] = [
  soc2('CC6.1', ['changes'], 'data/changes.csv: accounts, keys, groups, grants (audit_event)'),
  soc2('CC6.2', ['changes'], 'data/changes.csv: accounts made and disabled (audit_event)'),
  soc2(
    'CC6.3',
    ['changes', 'controls'],
    'data/changes.csv, data/decisions.csv: rights, and who decided with them',
  ),
  soc2(
    'CC6.8',
    ['coverage', 'scanning'],
    'data/uploads.csv: each upload with its verdict (object_version, verdict)',
  ),
  soc2(
    'CC7.1',
    ['findings', 'exceptions'],
    'data/findings.csv, data/exceptions.csv (finding, finding_exception)',
  ),
  soc2('CC7.2', ['coverage', 'health'], 'data/uploads.csv; report.json: inventory, gaps, outages'),
  soc2('CC7.3', ['decisions', 'people'], 'data/decisions.csv, data/reviews.csv (review, review_vote)'),
  soc2('CC7.4', ['people', 'findings'], 'data/reviews.csv: times to claim, to decision and to remedy'),
  soc2('CC8.1', ['changes', 'decisions'], 'data/changes.csv: definitions, rules, settings (audit_event)'),
  iso(
    'A.5.3',
    ['controls', 'decisions'],
    'data/decisions.csv: votes with the people whom four eyes kept out',
  ),
  iso('A.5.24', ['people'], 'data/reviews.csv: queues, deadlines, escalations'),
  iso('A.5.25', ['findings', 'decisions'], 'data/findings.csv, data/decisions.csv'),
  iso('A.5.26', ['people', 'decisions'], 'data/reviews.csv, data/decisions.csv'),
  iso('A.5.27', ['findings', 'restated'], 'report.json: trend, rules, repeat sources'),
  iso('A.5.28', ['decisions', 'health'], 'audit.jsonl with verify.mjs: the chain over the period'),
  iso('A.5.33', ['health'], 'manifest.json, manifest.sig, audit.jsonl'),
  iso('A.8.7', ['coverage', 'scanning'], 'data/uploads.csv; report.json: signature age, outages'),
  iso('A.8.8', ['findings', 'exceptions'], 'data/findings.csv, data/exceptions.csv'),
  iso('A.8.12', ['findings'], 'data/findings.csv: secrets by rule, masked'),
  iso('A.8.15', ['health', 'changes'], 'audit.jsonl, data/changes.csv'),
  iso('A.8.16', ['coverage', 'health'], 'report.json: inventory, gaps, outages, notifications'),
  iso('A.8.32', ['changes'], 'data/changes.csv'),
  iso('9.1', ['process', 'people'], 'report.json: process and times'),
  iso('9.2', ['previous', 'controls'], 'the review that asks somebody to read the report'),
  iso('10.2', ['previous', 'restated'], 'report.json: the report before and what was restated'),
  pci('5.2', ['coverage', 'scanning'], 'data/uploads.csv; report.json: engines'),
  pci('5.3', ['scanning'], 'report.json: engines, signature age, outages (verdict)'),
  pci('5.3.4', ['scanning', 'health'], 'data/uploads.csv, audit.jsonl'),
  pci('6.3.1', ['findings'], 'data/findings.csv: severity and rule'),
  pci('10.2', ['changes', 'decisions'], 'audit.jsonl: who did what when (audit_event)'),
  pci('10.3', ['health'], 'audit.jsonl with verify.mjs; report.json: chain'),
  pci('10.4.1', ['controls', 'previous'], 'report.json: checks; the review that asks somebody to read it'),
  pci('10.4.3', ['controls', 'exceptions'], 'report.json: rows behind each check; data/exceptions.csv'),
  pci('10.5.1', ['health'], 'sallyport audit list, sallyport evidence export over the time asked for'),
  pci('10.7', ['scanning', 'health'], 'report.json: outages, dead letters, notifications'),
  pci('12.10', ['people', 'decisions'], 'data/reviews.csv, data/decisions.csv'),
];
