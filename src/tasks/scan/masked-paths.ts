import type { Finding, ScanReport } from '../../verdicts/ledger.js';
import type { SecretFinding, SecretScanner } from './secrets/finding.js';

export interface Recorded {
  readonly report: ScanReport;
  readonly findings: readonly Finding[];
}

interface Span {
  readonly start: number;
  readonly end: number;
  readonly shown: string;
}

/** In place of a path that could not be searched to its end. */
export const UNSEARCHED = '(not shown: it could not be searched for secrets)';

/**
 * What is recorded of a scan, with the secrets masked that stand in members' names. Only paths that something is said of
 * are searched, each once.
 */
export async function withMaskedPaths(
  scanner: SecretScanner,
  { report, findings }: Recorded,
): Promise<Recorded> {
  const { notCovered } = report;
  const masked = new Map<string, string>();
  for (const { path } of [...findings, ...notCovered])
    if (path !== '' && !masked.has(path)) masked.set(path, await maskedPath(scanner, path));
  const shown = <T extends { readonly path: string }>(one: T): T => ({
    ...one,
    path: masked.get(one.path) ?? one.path,
  });
  return { report: { ...report, notCovered: notCovered.map(shown) }, findings: findings.map(shown) };
}

// As it stands, since a name may have a `!`; each name by itself, since its neighbours are no surroundings of it; and its
// parts, since many a rule wants something else than an extension behind a secret. All have the same length.
const COPIES: readonly ((path: string) => string)[] = [
  (path) => path,
  (path) => path.replaceAll('!', '\n'),
  (path) => path.replaceAll(/[!./\\()[\],]/g, '\n'),
];

/** The path, with whatever looks like a secret, not by a guess alone, shown as in an excerpt. */
export async function maskedPath(scanner: SecretScanner, path: string): Promise<string> {
  const bytes = Buffer.from(path);
  const scan = scanner.open({ path: '' });
  await scan.write(Buffer.from(COPIES.map((copy) => `${copy(path)}\n`).join('')));
  const { findings, truncated, notCovered } = await scan.end();
  if (truncated || notCovered.length > 0) return UNSEARCHED;
  const period = bytes.length + 1;
  const spans = findings
    .filter(({ confidence, location }) => confidence !== 'low' && location.byteLength > 0)
    .flatMap((finding) => spansOf(finding, bytes, period));
  return replaced(bytes, spans);
}

/** One, or more where it reaches from one copy of the path into the next. */
function spansOf({ location, maskedExcerpt }: SecretFinding, bytes: Buffer, period: number): Span[] {
  const { byteOffset, byteLength } = location;
  return COPIES.flatMap((_, copy) => {
    const start = Math.max(byteOffset - copy * period, 0);
    const end = Math.min(byteOffset + byteLength - copy * period, bytes.length);
    return start < end
      ? [{ start, end, shown: maskOf(maskedExcerpt, bytes.toString('utf8', start, end)) }]
      : [];
  });
}

const MASK = /…\(\d+ characters?\)$/;
const LONGEST_PREFIX = 4;

/** The excerpt's end: the first characters that it shows of the secret, and its length. */
export function maskOf(excerpt: string, secret: string): string {
  const at = excerpt.search(MASK);
  const before = excerpt.slice(0, at);
  let shown = Math.min(LONGEST_PREFIX, at);
  while (shown > 0 && !before.endsWith(secret.slice(0, shown))) shown -= 1;
  return `${secret.slice(0, shown)}${excerpt.slice(at)}`;
}

function replaced(bytes: Buffer, spans: readonly Span[]): string {
  let text = '';
  let done = 0;
  for (const { start, end, shown } of spans.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    if (start >= done) text += `${bytes.toString('utf8', done, start)}${shown}`;
    done = Math.max(done, end);
  }
  return text + bytes.toString('utf8', done);
}
