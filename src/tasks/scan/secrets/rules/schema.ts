import { z } from 'zod';

const text = z.string().min(1).max(20_000);
const texts = z.array(text).max(5_000);

/** One allowlist in gitleaks' format. `commits` is read but never true: an uploaded object has no commit. */
export const AllowlistFile = z.object({
  id: z.string().optional(),
  description: z.string().optional(),
  condition: z
    .string()
    .transform((value) => value.toUpperCase())
    .pipe(z.enum(['OR', 'AND', '||', '&&', '']))
    .optional(),
  commits: texts.optional(),
  paths: texts.optional(),
  regexTarget: z.enum(['secret', 'match', 'line', '']).optional(),
  regexes: texts.optional(),
  stopwords: texts.optional(),
  targetRules: z.array(text).max(1_000).optional(),
});
export type AllowlistFile = z.infer<typeof AllowlistFile>;

/**
 * Texts in parts, which the tests put together: `{hex:32}` stands for 32 such characters and `{uuid}` for a UUID, so
 * that no file holds what looks like a token.
 */
const Examples = z.array(z.array(text).min(1).max(100)).max(20);

const statuses = z.array(z.int().min(200).max(599)).max(20);
const fields = z.record(
  z.string().min(1).max(100),
  z
    .array(z.union([z.string().max(200), z.boolean()]))
    .min(1)
    .max(50),
);

/** An address whose host is the same whatever the secret is: no upload may choose where it goes. */
function hasFixedHost(template: string): boolean {
  const [one, other] = ['a', 'b.example/@'].map((secret) =>
    template.replaceAll('{secret}', encodeURIComponent(secret)),
  );
  if (one === undefined || other === undefined || !URL.canParse(one) || !URL.canParse(other)) return false;
  return template.startsWith(`${new URL(one).origin}/`) && new URL(one).origin === new URL(other).origin;
}

/**
 * How its provider is asked whether a secret is in use: `{secret}` stands for it, in the path and query of the URL and in
 * headers. `activeIf` and `inactiveIf` name fields of a JSON answer and what they must be, where the status alone says nothing.
 */
export const VerifySpec = z.strictObject({
  method: z.enum(['GET', 'POST']).default('GET'),
  url: z
    .string()
    .max(500)
    .startsWith('https://', 'must be an https address')
    .refine(hasFixedHost, 'must name a host and a path, and {secret} only behind the host'),
  headers: z
    .record(z.string().regex(/^[a-z0-9-]{1,60}$/, 'must be small letters'), z.string().max(500))
    .default({}),
  active: statuses.min(1),
  inactive: statuses.min(1),
  activeIf: fields.optional(),
  inactiveIf: fields.optional(),
});
export type VerifySpec = Readonly<z.infer<typeof VerifySpec>>;

/** One rule in gitleaks' format, and the keys that Sallyport adds (all optional). */
export const RuleFile = z.object({
  id: text.max(120),
  description: z.string().max(2_000).optional(),
  regex: text.optional(),
  path: text.optional(),
  entropy: z.number().min(0).max(8).optional(),
  secretGroup: z.int().min(0).max(99).optional(),
  keywords: z.array(z.string().min(1).max(100)).max(200).optional(),
  tags: z.array(z.string()).optional(),
  allowlist: AllowlistFile.optional(),
  allowlists: z.array(AllowlistFile).max(100).optional(),
  skipReport: z.literal(false, 'rules that only serve others (composite rules) are not supported').optional(),
  required: z.undefined('composite rules are not supported').optional(),

  provider: z.string().min(1).max(100).optional(),
  severity: z.enum(['critical', 'high', 'medium', 'low']).optional(),
  confidence: z.enum(['high', 'medium', 'low']).optional(),
  remediation: z.url().max(500).optional(),
  checksum: z.enum(['crc32-base62']).optional(),
  generic: z.boolean().optional(),
  verify: VerifySpec.optional(),
  examples: Examples.optional(),
  counterexamples: Examples.optional(),
});
export type RuleFile = z.infer<typeof RuleFile>;

/** A whole rule file in gitleaks' TOML format. */
export const RulesFile = z.object({
  title: z.string().optional(),
  extend: z
    .object({
      useDefault: z.boolean().optional(),
      disabledRules: z.array(text).max(1_000).optional(),
      path: text.max(4_000).optional(),
      url: z.undefined('fetching rules is not supported: put them into this file').optional(),
    })
    .optional(),
  rules: z.array(RuleFile).max(2_000).optional(),
  allowlist: AllowlistFile.optional(),
  allowlists: z.array(AllowlistFile).max(200).optional(),
});
export type RulesFile = z.infer<typeof RulesFile>;

// gitleaks reads its configuration without regard to case.
const canonical = new Map(
  [
    ...Object.keys(RulesFile.shape),
    ...Object.keys(RuleFile.shape),
    ...Object.keys(AllowlistFile.shape),
    'useDefault',
    'disabledRules',
    'url',
  ].map((key) => [key.toLowerCase(), key]),
);

/** The document with each known key in the spelling of the schemas. */
export function withKnownSpellings(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withKnownSpellings);
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      canonical.get(key.toLowerCase()) ?? key,
      withKnownSpellings(inner),
    ]),
  );
}
