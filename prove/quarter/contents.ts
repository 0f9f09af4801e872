import { createHash } from 'node:crypto';
import type { Finding } from '../../src/verdicts/ledger.js';

/** What is in an object, which its scanner knows by its ETag. */
export interface Content {
  readonly text: string;
  readonly sizeBytes: number;
  readonly kind: ContentKind;
  readonly found: readonly Finding[];
}

export type ContentKind =
  | 'harmless'
  | 'secrets'
  | 'infected'
  | 'both'
  | 'suspicious'
  | 'encrypted'
  | 'too_big'
  | 'unsupported'
  | 'archived'
  | 'denied'
  | 'unreadable';

/** So many of a thousand uploads; the rest is harmless. */
const SHARES: readonly (readonly [ContentKind, number])[] = [
  ['secrets', 36],
  ['infected', 18],
  ['both', 4],
  ['suspicious', 4],
  ['encrypted', 14],
  ['too_big', 7],
  ['unsupported', 10],
  ['archived', 3],
  ['denied', 3],
  ['unreadable', 5],
];

const SECRET_RULES = ['aws-access-key', 'github-token', 'private-key', 'database-url', 'generic-secret'];
const MALWARE_RULES = ['Win.Test.EICAR_HDB-1', 'Doc.Dropper.Agent', 'Js.Trojan.Loader'];
const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;
/** Few enough that the same secret stands in several objects. */
const SECRETS = 900;

export const digest = (text: string): string => createHash('md5').update(text).digest('hex');

/** The content of the upload of this number. */
export function drawContent(number: number, random: () => number): Content {
  let draw = random() * 1000;
  const kind = SHARES.find(([, share]) => (draw -= share) < 0)?.[0] ?? 'harmless';
  const found: Finding[] = [];
  if (kind === 'secrets' || kind === 'both')
    for (let n = 0; n <= random() * 2; n += 1) found.push(...secret(Math.floor(random() * SECRETS), random));
  if (kind === 'infected' || kind === 'both' || kind === 'suspicious')
    found.push(malware(Math.floor(random() * MALWARE_RULES.length), kind === 'suspicious'));
  return { text: `${kind} ${number}`, sizeBytes: 100 + Math.floor(random() * 1_000_000), kind, found };
}

/** One secret, in one line or in several. */
function secret(id: number, random: () => number): Finding[] {
  const ruleId = SECRET_RULES[id % SECRET_RULES.length] ?? '';
  const lines = random() < 0.2 ? 3 : 1;
  return Array.from({ length: lines }, (_, index) => ({
    kind: 'secret' as const,
    ruleId,
    title: `A ${ruleId}`,
    severity: SEVERITIES[id % SEVERITIES.length] ?? 'low',
    confidence: 'high' as const,
    path: '',
    line: 10 + index,
    excerpt: '****',
    fingerprint: `proof:${digest(`secret ${id}`)}`,
  }));
}

const malware = (id: number, isSuspicious: boolean): Finding => ({
  kind: 'malware',
  ruleId: MALWARE_RULES[id] ?? '',
  title: MALWARE_RULES[id] ?? '',
  severity: isSuspicious ? 'medium' : 'critical',
  confidence: isSuspicious ? 'medium' : 'high',
  path: '',
  fingerprint: `proof:${digest(MALWARE_RULES[id] ?? '')}`,
});
