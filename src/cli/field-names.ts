import type { Command } from 'commander';

/** A field that the service refuses, as its error body names it. */
export interface RefusedField {
  /** Dotted, as in `quotas.maxRunning` or `shares[0].percent`. */
  readonly path: string;
  readonly message: string;
}

const PLACE = ['<BUCKET>', '<S3-URL>', '<S3_URL>'];

/**
 * Where the service's word is another than the command line's; of several, the first that the command has. A word
 * that is an option's own name in camel case needs no entry.
 */
const OTHERWISE: Readonly<Record<string, readonly string[]>> = {
  accessKeyId: ['--keys'],
  bucket: PLACE,
  catchUpWithinSeconds: ['--catch-up-within'],
  contentType: ['--type'],
  contentTypes: ['--type'],
  credentials: ['--default-credentials'],
  dryRun: ['--estimate'],
  dueDays: ['--days'],
  endpointId: ['--endpoint'],
  eventKinds: ['--kind'],
  expiresAt: ['--expires'],
  findingId: ['<FINDING>'],
  findingKind: ['--of'],
  key: PLACE,
  keyPrefix: ['--prefix'],
  kmsKeyArns: ['--kms-key'],
  maxSizeBytes: ['--max-size'],
  minSizeBytes: ['--min-size'],
  newWorkflowName: ['--new-workflow'],
  prefix: PLACE,
  ruleId: ['--rule'],
  scanId: ['<SCAN>'],
  scanners: ['--scanner'],
  secretAccessKey: ['--keys'],
  shares: ['--share'],
  sizeBytes: ['--size'],
  tags: ['--tag'],
  uploadedAfter: ['--since'],
  uploadedBefore: ['--until'],
  waitSeconds: ['--wait'],
  workflowName: ['--workflow'],
};

/**
 * What the service says of fields, in the words of whoever wrote the command: its options and arguments. A field that
 * the command has no word for keeps its name.
 */
export function inOptions(sentence: string, fields: readonly RefusedField[], command: Command): string {
  return fields.reduce(
    (said, { path, message }) =>
      said.replace(
        `${path}: ${message}`,
        () => `${optionOf(path, command) ?? path}: ${reworded(message, command)}`,
      ),
    sentence,
  );
}

/** Other fields that a message speaks of: quoted, or told by a capital in the middle. */
const reworded = (message: string, command: Command): string =>
  message.replaceAll(/`(\w+)`|\b([a-z]+[A-Z]\w*)\b/g, (whole, quoted?: string, plain?: string) => {
    const option = optionOf(quoted ?? plain ?? '', command);
    return option ?? whole;
  });

/** The option or argument that a field comes from, and where in its value; the outermost part of the path that has one. */
function optionOf(path: string, command: Command): string | undefined {
  const whole = wordOf(path, command);
  if (whole !== undefined) return whole;
  const parts = path.split(/[.[\]]+/).filter((part) => part !== '');
  for (const [index, part] of parts.entries()) {
    // It is many options: a part of it has a word of its own.
    const word = part === 'credentials' ? undefined : wordOf(part, command);
    if (word === undefined) continue;
    const inside = parts.slice(index + 1).filter((name) => !/^\d+$/.test(name));
    return inside.length === 0 ? word : `${word} (${inside.join('.')})`;
  }
  return undefined;
}

function wordOf(field: string, command: Command): string | undefined {
  const own = command.options.find((option) => option.attributeName() === field)?.long;
  if (own !== undefined && own !== null) return own;
  const words = [
    ...command.options.map(({ long }) => long),
    ...command.registeredArguments.map((argument) => `<${argument.name()}>`),
  ];
  const others = Object.hasOwn(OTHERWISE, field) ? (OTHERWISE[field] ?? []) : [];
  return [...others, `<${field.toUpperCase()}>`].find((word) => words.includes(word));
}
