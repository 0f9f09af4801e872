/** JSON that json_to_recordset takes: a lone surrogate or a NUL in any string would fail the whole statement. */
export const storableJson = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'string' ? storableText(inner, Infinity) : inner,
  );

/** Text that PostgreSQL can keep: names inside archives are anybody's bytes. At most `max` UTF-16 units. */
export const storableText = (text: string, max: number): string =>
  text.slice(0, max).toWellFormed().replaceAll('\u0000', '\uFFFD');
