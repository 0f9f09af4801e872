import module from 'canonicalize';

// The package is CommonJS whose `module.exports` is the function, but its types describe an ES module.
const canonicalize = module as unknown as (input: unknown) => string | undefined;

/** RFC 8785 text of a JSON value: the same for every order of keys. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('undefined has no JSON');
  return text;
}
