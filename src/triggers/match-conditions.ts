import type { Needs, TriggerRule, Upload } from './match.js';

/** `unknown`: the upload does not tell. */
export type Truth = 'holds' | 'fails' | 'unknown';

/** One condition of a rule, and how an upload meets it. */
export interface Condition {
  readonly name: 'event' | 'bucket' | 'prefix' | 'suffix' | 'size' | 'type' | 'tags';
  /** What the rule asks for, in words; undefined when it does not ask. */
  readonly wanted: (rule: TriggerRule) => string | undefined;
  /** What the upload has, in words. */
  readonly found: (upload: Upload) => string;
  /** Called only for what the rule asks for. */
  readonly holds: (rule: TriggerRule, upload: Upload) => Truth;
}

const truth = (holds: boolean): Truth => (holds ? 'holds' : 'fails');
const UNKNOWN = 'unknown';

/** The cheapest first. */
export const CONDITIONS: readonly Condition[] = [
  {
    name: 'event',
    wanted: ({ eventKinds }) => eventKinds.join(' or '),
    found: ({ kind }) => kind,
    holds: ({ eventKinds }, { kind }) => truth(eventKinds.includes(kind)),
  },
  {
    name: 'bucket',
    wanted: ({ bucket }) => bucket,
    found: ({ bucket }) => bucket,
    holds: ({ bucket: wanted = '' }, { bucket }) =>
      truth(wanted.endsWith('*') ? bucket.startsWith(wanted.slice(0, -1)) : bucket === wanted),
  },
  {
    name: 'prefix',
    wanted: ({ prefix }) => prefix,
    found: ({ key }) => key,
    holds: ({ prefix = '' }, { key }) => truth(key.startsWith(prefix)),
  },
  {
    name: 'suffix',
    wanted: ({ suffix }) => suffix,
    found: ({ key }) => key,
    holds: ({ suffix = '' }, { key }) => truth(key.endsWith(suffix)),
  },
  {
    name: 'size',
    wanted: ({ minSizeBytes: min, maxSizeBytes: max }) =>
      min === undefined && max === undefined
        ? undefined
        : [min !== undefined && `at least ${min}`, max !== undefined && `at most ${max}`]
            .filter((bound) => bound !== false)
            .join(' and ')
            .concat(' bytes'),
    found: ({ sizeBytes }) => (sizeBytes === undefined ? UNKNOWN : `${sizeBytes} bytes`),
    holds: ({ minSizeBytes = 0, maxSizeBytes = Infinity }, { sizeBytes }) =>
      sizeBytes === undefined ? UNKNOWN : truth(sizeBytes >= minSizeBytes && sizeBytes <= maxSizeBytes),
  },
  {
    name: 'type',
    wanted: ({ contentTypes }) => contentTypes?.join(' or '),
    found: ({ contentType }) => contentType ?? UNKNOWN,
    holds: ({ contentTypes = [] }, { contentType }) =>
      contentType === undefined
        ? UNKNOWN
        : truth(contentTypes.some((pattern) => isOfType(contentType, pattern))),
  },
  {
    name: 'tags',
    wanted: ({ tags }) => (tags === undefined ? undefined : tagsInWords(tags)),
    found: ({ tags }) => (tags === undefined ? UNKNOWN : tagsInWords(tags)),
    holds: ({ tags: wanted = {} }, { tags }) =>
      tags === undefined
        ? UNKNOWN
        : truth(
            Object.entries(wanted).every(
              ([name, value]) => Object.hasOwn(tags, name) && tags[name] === value,
            ),
          ),
  },
];

const tagsInWords = (tags: Readonly<Record<string, string>>): string =>
  Object.entries(tags)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ') || 'none';

const isOfType = (type: string, pattern: string): boolean =>
  pattern.endsWith('/*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern;

/** How a rule stands to an upload. `fallback`: only its tags fail, and they are not trusted to take a scan away. */
export interface Outcome {
  readonly kind: 'holds' | 'fails' | 'fallback';
  /** What would have to be known to say it for certain; `kind` is what holds in doubt. */
  readonly needs: Needs;
}

const NOTHING: Needs = { type: false, tags: false };

/** In doubt a denying rule fails and an allowing one holds. */
export function outcomeOf(rule: TriggerRule, upload: Upload): Outcome {
  const isDeny = rule.effect === 'deny';
  // Not taken when it is saved; whatever is in the table, an uploader's tag takes no scan away.
  if (isDeny && rule.tags !== undefined && rule.trustTags !== true) return { kind: 'fails', needs: NOTHING };
  const unknown = { size: false, type: false, tags: false };
  let isFallback = false;
  for (const condition of CONDITIONS) {
    const { name } = condition;
    if (condition.wanted(rule) === undefined) continue;
    const holds = condition.holds(rule, upload);
    if (holds === 'fails') {
      if (isDeny || name !== 'tags' || rule.trustTags === true) return { kind: 'fails', needs: NOTHING };
      isFallback = true;
    } else if (holds === 'unknown' && name in unknown) unknown[name as keyof typeof unknown] = true;
  }
  const { size, type, tags } = unknown;
  // Nobody asks for the size alone: it is told by nearly every source, and by none of the object's own answers sooner.
  const needs = isDeny && size ? NOTHING : { type, tags };
  if (isDeny) return { kind: size || type || tags ? 'fails' : 'holds', needs };
  return { kind: isFallback ? 'fallback' : 'holds', needs };
}

/** The allowing rule that wins: the first that holds, else the first that nothing but its tags speaks against. */
export function allowed(
  outcomes: readonly (readonly [TriggerRule, Outcome])[],
): readonly [TriggerRule, Outcome] | undefined {
  const of = (wanted: Outcome['kind']) =>
    outcomes.find(([{ effect }, { kind }]) => effect === 'allow' && kind === wanted);
  return of('holds') ?? of('fallback');
}
