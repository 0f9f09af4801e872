import { z } from 'zod';

/* What the published schema of SARIF 2.1.0 demands of the parts that we write, and nothing beside them. */

const uri = z.string().refine((text) => URL.canParse(text) && /^[\x21-\x7e]+$/.test(text), 'is no URI');
const level = z.enum(['none', 'note', 'warning', 'error']);
const message = z.strictObject({ text: z.string().min(1) });
const bag = z.looseObject({ tags: z.array(z.string()).optional() });

const rule = z.strictObject({
  id: z.string(),
  shortDescription: message,
  helpUri: uri.optional(),
  help: message.optional(),
  defaultConfiguration: z.strictObject({ level }),
  properties: bag,
});

const region = z.strictObject({
  startLine: z.int().min(1).optional(),
  startColumn: z.int().min(1).optional(),
  byteOffset: z.int().min(0).optional(),
  snippet: z.strictObject({ text: z.string() }).optional(),
});

const location = z.strictObject({
  physicalLocation: z.strictObject({
    artifactLocation: z.strictObject({ uri }),
    region: region.optional(),
  }),
  logicalLocations: z
    .array(z.strictObject({ name: z.string().optional(), fullyQualifiedName: z.string(), kind: z.string() }))
    .optional(),
});

const result = z.strictObject({
  ruleId: z.string(),
  ruleIndex: z.int().min(0),
  level,
  message,
  locations: z.array(location).length(1),
  partialFingerprints: z.record(z.string(), z.string()),
  suppressions: z
    .array(
      z.strictObject({
        kind: z.enum(['inSource', 'external']),
        status: z.enum(['accepted', 'underReview', 'rejected']),
        justification: z.string(),
      }),
    )
    .optional(),
  properties: bag,
});

const unique = (rules: readonly { id: string }[]): boolean =>
  new Set(rules.map(({ id }) => id)).size === rules.length;

export const SarifShape = z.strictObject({
  $schema: uri,
  version: z.literal('2.1.0'),
  runs: z.tuple([
    z
      .strictObject({
        tool: z.strictObject({
          driver: z.strictObject({
            name: z.string(),
            version: z.string(),
            rules: z.array(rule).refine(unique, 'has a rule twice'),
          }),
        }),
        results: z.array(result),
        properties: bag.optional(),
      })
      .refine(
        ({ tool, results }) =>
          results.every(({ ruleId, ruleIndex }) => tool.driver.rules[ruleIndex]?.id === ruleId),
        'has a result with another rule than its index says',
      ),
  ]),
});
