import { z } from 'zod';
import type { Finding, NotCovered, ScanReport } from '../../../verdicts/ledger.js';

const GAPS = ['encrypted', 'limit', 'unsupported', 'timeout', 'corrupt', 'engine_error'] as const;
const MAX_FINDINGS = 1_000;
const MAX_GAPS = 200;
const text = (most: number) => z.string().min(1).max(most);
const count = z.int().min(0);

/**
 * What a scanner outside reports as its task's output. Published as `docs/scanner-answer.schema.json`. Whatever does not
 * follow it is no answer, and the object is `incomplete`.
 */
export const ScannerAnswer = z.strictObject({
  kind: z.enum(['secrets', 'malware']).describe('What the scanner looked for.'),
  engine: z.strictObject({
    name: text(100),
    version: text(100),
    database: text(200).optional().describe('Signatures or rules: version or digest.'),
    databaseDate: z.iso.datetime({ offset: true }).optional(),
  }),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('Of the bytes that were read, computed by the scanner.'),
  bytesScanned: count.describe('How many of the bytes of the object it looked at.'),
  members: count.default(0).describe('How many members of archives it looked into.'),
  findings: z
    .array(
      z.strictObject({
        ruleId: text(300),
        title: text(500),
        severity: z.enum(['critical', 'high', 'medium', 'low']).default('high'),
        confidence: z
          .enum(['high', 'medium', 'low'])
          .default('high')
          .describe(
            '`high` acts: infected or secrets. `medium` of malware is suspicious; lower ones are recorded.',
          ),
        path: z
          .string()
          .max(4_000)
          .default('')
          .describe('Inside nested archives `a.zip!inner.txt`; empty for the object.'),
        line: z.int().min(1).optional(),
        column: z.int().min(1).optional(),
        byteOffset: count.optional(),
        remediation: text(2_000).optional(),
      }),
    )
    .max(MAX_FINDINGS),
  notCovered: z
    .array(
      z.strictObject({
        path: z.string().max(4_000).default(''),
        reason: z.enum(GAPS),
        detail: text(500).optional(),
      }),
    )
    .max(MAX_GAPS)
    .default([])
    .describe('What it did not look at. Anything here forbids `clean`.'),
});
export type ScannerAnswer = z.infer<typeof ScannerAnswer>;

/** What is known of the object and of what the scanner read of it. */
export interface Offered {
  readonly scanner: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly servedBytes: number;
}

/** A report that counts in the verdict, and what was found. */
export interface Judged {
  readonly report: ScanReport;
  readonly findings: readonly Finding[];
}

/** @param fingerprint of a finding whose value we never see: of where it is. */
export function judgeAnswer(
  answer: unknown,
  offered: Offered,
  fingerprint: (place: string) => string,
): Judged {
  if (answer === null || answer === undefined) return none(offered, 'gave no answer');
  const parsed = ScannerAnswer.safeParse(answer);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return none(
      offered,
      `does not follow the schema: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    );
  }
  const lie = lieIn(parsed.data, offered);
  // What it found is kept all the same: a liar's finding is for a person to look at, its silence is worth nothing.
  const { report, findings } = judged(parsed.data, offered, fingerprint);
  if (lie === undefined) return { report, findings };
  return { report: { ...report, notCovered: [...report.notCovered, failed(offered, lie)] }, findings };
}

function lieIn(answer: ScannerAnswer, { sha256, sizeBytes, servedBytes }: Offered): string | undefined {
  if (answer.sha256 !== sha256) return 'names the SHA-256 of other bytes';
  if (answer.bytesScanned > sizeBytes)
    return `says it looked at ${answer.bytesScanned} of ${sizeBytes} bytes`;
  if (answer.bytesScanned > servedBytes)
    return `says it looked at ${answer.bytesScanned} bytes, and fetched ${servedBytes}`;
  return undefined;
}

function judged(
  { kind, engine, bytesScanned, members, findings, notCovered }: ScannerAnswer,
  { scanner, sha256, sizeBytes }: Offered,
  fingerprint: (place: string) => string,
): Judged {
  const isHigh = findings.filter(({ confidence }) => confidence === 'high').length;
  const isMedium = findings.filter(({ confidence }) => confidence === 'medium').length;
  const lower = findings.length - isHigh;
  return {
    report: {
      kind,
      engines: [{ ...engine, name: `${scanner}: ${engine.name}` }],
      bytesScanned: Math.min(bytesScanned, sizeBytes),
      bytesTotal: sizeBytes,
      members,
      sha256,
      notCovered: notCovered.map(({ detail, ...gap }) => ({
        ...gap,
        detail: `${scanner}: ${detail ?? gap.reason}`,
      })),
      counts:
        kind === 'malware'
          ? { infected: isHigh, secrets: 0, suspicious: isMedium, lowConfidence: lower - isMedium }
          : { infected: 0, secrets: isHigh, suspicious: 0, lowConfidence: lower },
    },
    findings: findings.map((finding) => ({
      ...finding,
      kind: kind === 'malware' ? 'malware' : 'secret',
      title: `${finding.title} (${scanner})`,
      fingerprint:
        kind === 'malware'
          ? `signature:${finding.ruleId}`
          : fingerprint(
              JSON.stringify([scanner, finding.ruleId, finding.path, finding.line ?? finding.byteOffset]),
            ),
    })),
  };
}

const failed = ({ scanner }: Offered, why: string): NotCovered => ({
  path: '',
  reason: 'engine_error',
  detail: `${scanner} ${why}`.slice(0, 500),
});

const none = (offered: Offered, why: string): Judged => ({
  report: {
    kind: 'malware',
    engines: [],
    bytesScanned: 0,
    bytesTotal: offered.sizeBytes,
    members: 0,
    notCovered: [failed(offered, why)],
    counts: { infected: 0, secrets: 0, suspicious: 0, lowConfidence: 0 },
  },
  findings: [],
});
