const HERE = 'http://here.invalid';
const LONGEST = 2_000;

/**
 * Where somebody goes after a sign-in: a page of ours, whatever was asked for. What a browser could take for another site
 * (`//evil.example`, `/\evil.example`, an address) or for a call of the API leads to the first page.
 */
export function returnPath(wanted: string | undefined): string {
  if (wanted === undefined || wanted.length > LONGEST || !wanted.startsWith('/')) return '/';
  if (!URL.canParse(wanted, HERE)) return '/';
  const { origin, pathname, search, hash } = new URL(wanted, HERE);
  // Dots may leave two slashes at the front: `/.//evil.example`.
  if (origin !== HERE || pathname.startsWith('//') || pathname.startsWith('/api/')) return '/';
  return pathname + search + hash;
}

/** The login at such a page, after a sign-in that was refused. @param path as {@link returnPath} gave it. */
export function loginPath(path: string, refusal: string): string {
  const { pathname, searchParams, hash } = new URL(path, HERE);
  searchParams.set('sign-in', refusal);
  return `${pathname}?${searchParams.toString()}${hash}`;
}
