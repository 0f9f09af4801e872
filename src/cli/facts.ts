import { visible } from '../outbound/safe-text.js';

const MAX_VALUE = 1_100;

/** Named facts under each other, the names as wide as the widest; what is not known is left out. */
export function facts(pairs: readonly (readonly [name: string, value: unknown])[]): string[] {
  const known = pairs.filter(([, value]) => value !== undefined && value !== null && value !== '');
  const width = Math.max(0, ...known.map(([name]) => name.length));
  return known.map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return `${name.padEnd(width)}  ${visible(text, MAX_VALUE)}`;
  });
}
