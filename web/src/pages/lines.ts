/* What people write a line each, and what it is. */

/** `name=value` a line. @throws Error with a sentence for the person. */
export function recordOf(text: string): Record<string, string> {
  const entries = linesOf(text).map((line) => {
    const at = line.indexOf('=');
    if (at < 1) throw new Error(`“${line}” is not of the form name=value.`);
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()] as const;
  });
  return Object.fromEntries(entries);
}

export const textOf = (record: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(record ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');

export const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** @throws Error with a sentence for the person. */
export function jsonOf(text: string, name: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Error(`The ${name} is no JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** What is no number is sent as it is: the server's sentence says what is wrong with it. */
export const numberOf = (text: string): number | string =>
  text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
