import { describe, expect, it } from 'vitest';
import { conclude, type ConcludeInput } from '../../src/verdicts/conclude.js';
import type { ScanReport } from '../../src/verdicts/ledger.js';

const NONE = { infected: 0, secrets: 0, suspicious: 0, lowConfidence: 0 };
const report = (kind: ScanReport['kind'], parts: Partial<ScanReport> = {}): ScanReport => ({
  kind,
  engines: [],
  bytesScanned: 1,
  bytesTotal: 1,
  members: 1,
  notCovered: [],
  counts: NONE,
  ...parts,
});
const say = (parts: Partial<ConcludeInput>) =>
  conclude({
    outcome: 'present',
    reason: '',
    gaps: [],
    required: ['secrets', 'malware'],
    reports: [report('secrets'), report('malware')],
    degradedPolicy: 'tag',
    ...parts,
  });
const withMalware = (parts: Partial<ScanReport>) => ({
  reports: [report('secrets'), report('malware', parts)],
});
const missing = withMalware({ notCovered: [{ path: '', reason: 'engine_missing' }] });

describe('what follows a scan', () => {
  const table: readonly [string, Partial<ConcludeInput>, string, string][] = [
    ['clean', {}, 'clean', 'tag'],
    ['what another scanner found', { externalThreats: 1 }, 'suspicious', 'review'],
    [
      'the same beside encryption',
      { externalThreats: 1, ...withMalware({ notCovered: [{ path: 'a', reason: 'encrypted' }] }) },
      'suspicious',
      'review',
    ],
    [
      'the same beside malware',
      { externalThreats: 1, ...withMalware({ counts: { ...NONE, infected: 1 } }) },
      'infected',
      'review',
    ],
    ['malware', withMalware({ counts: { ...NONE, infected: 1 } }), 'infected', 'review'],
    ['secrets', withMalware({ counts: { ...NONE, secrets: 1 } }), 'secrets', 'review'],
    ['suspicion', withMalware({ counts: { ...NONE, suspicious: 1 } }), 'suspicious', 'review'],
    ['encryption', withMalware({ notCovered: [{ path: 'a', reason: 'encrypted' }] }), 'encrypted', 'review'],
    ['a limit', withMalware({ notCovered: [{ path: 'a', reason: 'limit' }] }), 'incomplete', 'tag'],
    [
      'a limit, whatever the policy for missing engines',
      { ...withMalware({ notCovered: [{ path: 'a', reason: 'limit' }] }), degradedPolicy: 'review' },
      'incomplete',
      'tag',
    ],
    ['a missing engine', missing, 'incomplete', 'tag'],
    [
      'a missing engine that people want to hear of',
      { ...missing, degradedPolicy: 'review' },
      'incomplete',
      'review',
    ],
    ['no reports', { reports: [] }, 'incomplete', 'tag'],
    ['an object that is gone', { outcome: 'gone', reports: [] }, 'gone', 'none'],
    ['an object that may not be read', { outcome: 'denied', reports: [] }, 'denied', 'tag'],
    ['an archived object', { outcome: 'archived', reports: [] }, 'archived', 'tag'],
    ['an object that S3 does not give', { outcome: 'failed', reports: [] }, 'failed', 'tag'],
    ['an overwritten object', { outcome: 'superseded', reports: [] }, 'superseded', 'none'],
    ['a second row of the same bytes', { outcome: 'duplicate', reports: [] }, 'superseded', 'none'],
    [
      'an object that vanished under the scanner',
      { gaps: ['gone'], reports: [report('secrets')] },
      'gone',
      'none',
    ],
    [
      'an object overwritten under both',
      { gaps: ['superseded', 'superseded'], reports: [] },
      'superseded',
      'none',
    ],
    [
      'malware in an object that was overwritten under the other',
      { gaps: ['superseded'], reports: [report('malware', { counts: { ...NONE, infected: 1 } })] },
      'infected',
      'review',
    ],
  ];
  it.each(table)('%s', (_, parts, verdict, route) => {
    expect(say(parts)).toMatchObject({ verdict, route });
  });

  it('names its reason', () => {
    expect(say({ outcome: 'denied', reason: 'kms_key_disabled' }).reason).toBe('kms_key_disabled');
    expect(say({ outcome: 'duplicate', reason: 'released_by_review', reports: [] })).toMatchObject({
      verdict: 'skipped',
      reason: 'released_by_review',
      route: 'none',
    });
    expect(say({ outcome: 'gone' }).reason).toBe('object_gone');
    expect(say({ gaps: ['gone'] }).reason).toBe('object_gone_during_scan');
    expect(say(missing)).toMatchObject({ reason: 'malware_engine_missing', degraded: true });
  });
});

describe('what somebody answers for', () => {
  const accepted = (kind: 'infected' | 'secrets' | 'suspicious') => ({
    counts: { ...NONE, accepted: { infected: 0, secrets: 0, suspicious: 0, [kind]: 1 } },
  });
  const virus = accepted('infected');
  const secret = accepted('secrets');
  const both = (secrets: Partial<ScanReport>, malware: Partial<ScanReport>) => ({
    reports: [report('secrets', secrets), report('malware', malware)],
  });
  const found = (kind: 'infected' | 'secrets' | 'suspicious') => ({ counts: { ...NONE, [kind]: 1 } });

  it.each<[string, Partial<ConcludeInput>, string, string, string]>([
    ['secrets leave an object clean, and it says why', both(secret, {}), 'clean', 'findings_accepted', 'tag'],
    [
      'malware keeps its name, and nobody is asked again',
      both({}, virus),
      'infected',
      'malware_accepted',
      'tag',
    ],
    [
      'what is only suspicious does so too',
      both({}, accepted('suspicious')),
      'suspicious',
      'malware_accepted',
      'tag',
    ],
    [
      'a secret beside it is asked about',
      both(found('secrets'), virus),
      'infected',
      'secrets_found',
      'review',
    ],
    [
      'malware that nobody knows counts as ever',
      both({}, { counts: { ...found('infected').counts, ...accepted('infected').counts, infected: 1 } }),
      'infected',
      'malware_found',
      'review',
    ],
    [
      'what was not looked at is no cleaner for it',
      both(secret, { bytesScanned: 0 }),
      'incomplete',
      'bytes_not_scanned',
      'tag',
    ],
    [
      'encrypted content beside known malware is asked about',
      both({}, { ...virus, notCovered: [{ path: 'a', reason: 'encrypted' }] }),
      'infected',
      'encrypted_content',
      'review',
    ],
    [
      'what another scanner found beside it is asked about',
      { externalThreats: 1, ...both({}, virus) },
      'infected',
      'external_threats_found',
      'review',
    ],
    [
      'of bytes that are gone nothing is said',
      { gaps: ['gone'], ...both({}, virus) },
      'gone',
      'object_gone_during_scan',
      'none',
    ],
  ])('%s', (_, parts, verdict, reason, route) => {
    expect(say(parts)).toMatchObject({ verdict, reason, route });
  });
});
