import { visible } from '../../outbound/safe-text.js';
import type { FindingsPage, FindingView } from './finding-view.js';

type Level = 'error' | 'warning' | 'note';

export interface SarifRule {
  readonly id: string;
  readonly shortDescription: { readonly text: string };
  readonly helpUri?: string;
  readonly help?: { readonly text: string };
  readonly defaultConfiguration: { readonly level: Level };
  readonly properties: { readonly tags: readonly string[]; readonly 'security-severity': string };
}

export interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: Level;
  readonly message: { readonly text: string };
  readonly locations: readonly object[];
  readonly partialFingerprints: Readonly<Record<string, string>>;
  readonly suppressions?: readonly object[];
  readonly properties: Readonly<Record<string, unknown>>;
}

/** The part of SARIF 2.1.0 that is written. */
export interface SarifLog {
  readonly $schema: string;
  readonly version: '2.1.0';
  readonly runs: readonly [
    {
      readonly tool: {
        readonly driver: {
          readonly name: 'Sallyport';
          readonly version: string;
          readonly rules: readonly SarifRule[];
        };
      };
      readonly results: readonly SarifResult[];
      readonly properties: { readonly nextCursor?: string; readonly total?: number };
    },
  ];
}

export const SARIF_SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';
/** Raised if ever the same finding gets another fingerprint. */
const FINGERPRINT = 'sallyport/v1';
const MAX_MESSAGE = 1000;

/** A page of findings as a SARIF log. Pure. */
export function sarifOf({ items, total, nextCursor }: FindingsPage, version: string): SarifLog {
  const indexes = new Map<string, number>();
  const rules: SarifRule[] = [];
  for (const item of items) {
    if (indexes.has(item.ruleId)) continue;
    indexes.set(item.ruleId, rules.push(ruleOf(item)) - 1);
  }
  return {
    $schema: SARIF_SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'Sallyport', version, rules } },
        results: items.map((item) => resultOf(item, indexes.get(item.ruleId) ?? -1)),
        properties: {
          ...(nextCursor !== undefined && { nextCursor }),
          ...(total !== undefined && { total }),
        },
      },
    ],
  };
}

/** A rule as results name it. */
export function ruleOf({ ruleId, kind, title, severity, remediation }: FindingView): SarifRule {
  const helpUri = pageOf(remediation);
  return {
    id: ruleId,
    shortDescription: { text: plain(title === '' ? ruleId : title) },
    ...(helpUri !== undefined && { helpUri }),
    ...(remediation !== null && remediation !== '' && { help: { text: plain(remediation) } }),
    defaultConfiguration: { level: levelOf(severity) },
    properties: { tags: ['security', kind], 'security-severity': scoreOf(severity) },
  };
}

/** A finding; `ruleIndex` is its rule's place in the list of rules. */
export function resultOf(finding: FindingView, ruleIndex: number): SarifResult {
  const { ruleId, title, severity, path, fingerprint, accepted, acceptedReason } = finding;
  return {
    ruleId,
    ruleIndex,
    level: levelOf(severity),
    message: { text: plain(`${title === '' ? ruleId : title}${path === '' ? '' : ` in ${path}`}`) },
    locations: [locationOf(finding)],
    partialFingerprints: { [FINGERPRINT]: fingerprint },
    ...(accepted && {
      suppressions: [{ kind: 'external', status: 'accepted', justification: acceptedReason ?? '' }],
    }),
    properties: propertiesOf(finding),
  };
}

/** What SARIF has no word for, as it is. */
function propertiesOf(finding: FindingView): SarifResult['properties'] {
  const { kind, severity, confidence, verdict, endpointId, bucket, key, objectId } = finding;
  const { versionId, source, column, verified, verifiedAt } = finding;
  return {
    kind,
    severity,
    confidence,
    verdict,
    endpointId,
    bucket,
    key,
    ...(versionId !== null && { versionId }),
    objectId,
    ...(source !== '' && { source }),
    ...(column !== null && { columnUnit: 'bytes' }),
    ...(verified !== null && { verified, verifiedAt }),
  };
}

function locationOf(finding: FindingView): object {
  const { bucket, key, path } = finding;
  const region = regionOf(finding);
  const name = path.slice(path.lastIndexOf('!') + 1);
  return {
    physicalLocation: {
      artifactLocation: { uri: objectUri(bucket, key, path) },
      ...(region !== undefined && { region }),
    },
    ...(path !== '' && {
      logicalLocations: [{ ...(name !== '' && { name }), fullyQualifiedName: path, kind: 'member' }],
    }),
  };
}

function regionOf({ line, column, byteOffset, excerpt }: FindingView): object | undefined {
  const region = {
    ...(line !== null && line >= 1 && { startLine: line }),
    ...(line !== null && line >= 1 && column !== null && column >= 1 && { startColumn: column }),
    ...(byteOffset !== null && byteOffset >= 0 && { byteOffset }),
  };
  if (Object.keys(region).length === 0) return undefined;
  return { ...region, ...(excerpt !== null && { snippet: { text: excerpt } }) };
}

/**
 * An object as a URI, `s3://bucket/key`, whose path decodes to the key, also after it was normalised; a member of an
 * archive is its fragment. Only a key that is `.` or `..` and nothing else has no such URI.
 */
export function objectUri(bucket: string, key: string, member = ''): string {
  const segments = key.toWellFormed().split('/');
  const path = segments.reduce((before, segment, index) => {
    const previous = segments[index - 1];
    // A dot segment would be taken out by whoever normalises the URI; joined to its neighbours it is none.
    const slash = isDots(segment) || (previous !== undefined && isDots(previous)) ? '%2F' : '/';
    const encoded = encodeURIComponent(segment);
    return index === 0 ? encoded : `${before}${slash}${encoded}`;
  }, '');
  const fragment = member === '' ? '' : `#${encodeURIComponent(member.toWellFormed())}`;
  return `s3://${encodeURIComponent(bucket.toWellFormed())}/${path}${fragment}`;
}

const isDots = (segment: string): boolean => segment === '.' || segment === '..';

/** The provider's page, as a URI. */
function pageOf(remediation: string | null): string | undefined {
  if (remediation === null || !/^https?:\/\//i.test(remediation)) return undefined;
  return URL.canParse(remediation) ? new URL(remediation).href : undefined;
}

/** Words of strangers in a message: nothing hidden, no link, no placeholder. */
const plain = (text: string): string =>
  visible(text, MAX_MESSAGE)
    .replaceAll(/[\\[\]]/g, String.raw`\$&`)
    .replaceAll(/[{}]/g, '$&$&');

function levelOf(severity: string): Level {
  if (severity === 'critical' || severity === 'high') return 'error';
  return severity === 'medium' ? 'warning' : 'note';
}

/** As CVSS counts, which is what code hosts sort by. */
function scoreOf(severity: string): string {
  return { critical: '9.5', high: '8.0', medium: '5.5' }[severity] ?? '3.0';
}
