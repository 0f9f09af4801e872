/** Text that PostgreSQL can keep: names inside archives are anybody's bytes. At most `max` UTF-16 units. */
export const storableText = (text: string, max: number): string =>
  text.slice(0, max).toWellFormed().replaceAll('\u0000', '\uFFFD');
