import fc from 'fast-check';
import { z } from 'zod';

/**
 * Anything that a schema takes, with texts from `text`. Only what our schemas are made of; another kind is a mistake of this
 * file and says so.
 */
export function arbitraryOf(schema: z.ZodType, text: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  const of = (inner: unknown): fc.Arbitrary<unknown> => arbitraryOf(inner as z.ZodType, text);
  if (schema instanceof z.ZodObject)
    return fc.record(
      Object.fromEntries(Object.entries(schema.shape).map(([name, field]) => [name, of(field)])),
    );
  if (schema instanceof z.ZodArray) return fc.array(of(schema.element), { maxLength: 4 });
  if (schema instanceof z.ZodNullable) return fc.option(of(schema.unwrap()));
  if (schema instanceof z.ZodEnum) return fc.constantFrom(...schema.options);
  if (schema instanceof z.ZodLiteral) return fc.constantFrom(...schema.values);
  if (schema instanceof z.ZodRecord) {
    const keys = (schema.keyType as z.ZodEnum).options;
    return fc.record(Object.fromEntries(keys.map((key) => [key, of(schema.valueType)])));
  }
  if (schema instanceof z.ZodBoolean) return fc.boolean();
  if (schema instanceof z.ZodISODateTime)
    return fc
      .date({ min: new Date(0), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
      .map((date) => date.toISOString());
  if (schema instanceof z.ZodNumber) {
    if (schema.format !== 'safeint') return fc.double({ noNaN: true, noDefaultInfinity: true });
    const least = schema.minValue ?? 0;
    return fc.oneof(
      fc.integer({ min: Math.max(least, -5), max: 5 }),
      fc.maxSafeInteger().map((many) => Math.max(least, many)),
    );
  }
  if (schema instanceof z.ZodString) return text;
  throw new Error(`arbitraryOf knows no ${schema.constructor.name}`);
}
