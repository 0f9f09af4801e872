import { CommandError } from '../command-error.js';
import { jsonObject } from '../json-argument.js';
import { cleared, isOn, listOf } from '../values.js';

/** The options of `trigger set`, as commander gives them. */
export interface WantedRule {
  readonly effect?: string;
  readonly description?: string;
  readonly position?: number;
  readonly bucket?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly minSize?: number;
  readonly maxSize?: number;
  readonly type?: string;
  readonly tag?: readonly string[];
  readonly trustTags?: string;
  readonly kind?: string;
  readonly workflow?: string;
  readonly version?: number;
  readonly share?: readonly string[];
  readonly priority?: number;
  readonly input?: string;
  readonly enabled?: string;
  readonly clear?: string;
}

/** What can be unset: the field that an option sets. */
export const CLEARABLE = {
  description: 'description',
  bucket: 'bucket',
  prefix: 'prefix',
  suffix: 'suffix',
  'min-size': 'minSizeBytes',
  'max-size': 'maxSizeBytes',
  type: 'contentTypes',
  tag: 'tags',
  workflow: 'workflow',
  version: 'version',
  share: 'shares',
  input: 'input',
};

/** Values of an option that may be written more than once. */
export const collect = (value: string, before: readonly string[] | undefined): string[] => [
  ...(before ?? []),
  value,
];

/** What is said of the rule, in the API's words; null for what is unset. @throws CommandError */
export function specFrom(wanted: WantedRule): Record<string, unknown> {
  const { minSize, maxSize, type, tag, trustTags, kind, share, input, enabled, clear, ...plain } = wanted;
  const said = {
    ...plain,
    minSizeBytes: minSize,
    maxSizeBytes: maxSize,
    contentTypes: type && listOf(type),
    tags: tag && tagsFrom(tag),
    trustTags: trustTags && isOn('--trust-tags', trustTags),
    eventKinds: kind && listOf(kind),
    shares: share?.map(shareFrom),
    input: input && jsonObject('--input', input),
    enabled: enabled && isOn('--enabled', enabled),
  };
  return {
    ...cleared(clear, CLEARABLE),
    ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)),
  };
}

/** `NAME=VALUE`, of which the value may hold more of them. @throws CommandError */
export function tagsFrom(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, value] = /^([^=]+)=([^]*)$/.exec(text) ?? [];
      if (name !== undefined && value !== undefined) return [name, value];
      throw new CommandError(`--tag: "${text}" cannot be used. Write it as name=value.`);
    }),
  );
}

function shareFrom(text: string): { workflow: string; version?: number; percent: number } {
  const [, workflow, version, percent] = /^(.+?)(?::(\d{1,9}))?=(\d{1,3})$/.exec(text) ?? [];
  if (workflow === undefined) {
    throw new CommandError(`--share: "${text}" cannot be used. Write it as scan_upload:2=10.`);
  }
  return { workflow, ...(version !== undefined && { version: Number(version) }), percent: Number(percent) };
}
