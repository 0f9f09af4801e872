import { CommandError } from './command-error.js';

/** A finding that a file tells of, as far as the baseline needs it. */
export interface KnownFinding {
  readonly fingerprint: string;
  readonly ruleId?: string;
}

/** What a file of findings holds. */
export interface KnownFindings {
  readonly format: 'sallyport' | 'sarif' | 'gitleaks';
  /** Each fingerprint once. */
  readonly known: readonly KnownFinding[];
  /** How many findings, malware aside, have no fingerprint of ours, so that nobody can tell which secret they mean. */
  readonly unusable: number;
}

const OURS = /^hmac-sha256:[\w.-]{1,100}:[0-9a-f]{64}$/;

/** Under which our fingerprints stand in SARIF. */
const SARIF_NAME = 'sallyport/v1';

/**
 * Reads the findings of a file: our JSON export, SARIF, or a JSON report of gitleaks. gitleaks' own fingerprints
 * (`commit:file:rule:line`) name a place and say nothing of the secret: only those that carry ours can be used.
 *
 * @throws CommandError for what is none of these.
 */
export function knownFindingsIn(text: string): KnownFindings {
  const document = parsed(text);
  if (Array.isArray(document)) return collected('gitleaks', document.map(fromGitleaks));
  if (isRecord(document) && Array.isArray(document['runs'])) {
    const results = document['runs'].flatMap((run): unknown[] =>
      isRecord(run) && Array.isArray(run['results']) ? run['results'] : [],
    );
    return collected('sarif', results.filter((one) => !isMalware(one, 'properties')).map(fromSarif));
  }
  if (isRecord(document) && Array.isArray(document['items'])) {
    const items = document['items'].filter((one) => !isMalware(one));
    return collected('sallyport', items.map(fromExport));
  }
  throw new CommandError(
    'The file is none of: findings of `sallyport findings --format json`, SARIF, a JSON report of gitleaks.',
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    // Without the parser's words: they quote the file, and gitleaks' reports hold secrets.
    throw new CommandError('The file is no JSON. Is it whole?', { cause: error });
  }
}

function collected(
  format: KnownFindings['format'],
  found: readonly (KnownFinding | undefined)[],
): KnownFindings {
  const known = new Map(found.filter((one) => one !== undefined).map((one) => [one.fingerprint, one]));
  return {
    format,
    known: [...known.values()],
    unusable: found.filter((one) => one === undefined).length,
  };
}

/** Malware is in our exports too, and never accepted. */
function isMalware(finding: unknown, under?: string): boolean {
  const said = isRecord(finding) && under !== undefined ? finding[under] : finding;
  return isRecord(said) && said['kind'] === 'malware';
}

function fromExport(item: unknown): KnownFinding | undefined {
  return isRecord(item) ? findingOf(item['fingerprint'], item['ruleId']) : undefined;
}

function fromSarif(result: unknown): KnownFinding | undefined {
  if (!isRecord(result)) return undefined;
  const prints = result['partialFingerprints'];
  return isRecord(prints) ? findingOf(prints[SARIF_NAME], result['ruleId']) : undefined;
}

function fromGitleaks(finding: unknown): KnownFinding | undefined {
  return isRecord(finding) ? findingOf(finding['Fingerprint'], finding['RuleID']) : undefined;
}

function findingOf(fingerprint: unknown, ruleId: unknown): KnownFinding | undefined {
  if (typeof fingerprint !== 'string' || !OURS.test(fingerprint)) return undefined;
  return { fingerprint, ...(typeof ruleId === 'string' && ruleId !== '' && { ruleId }) };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
