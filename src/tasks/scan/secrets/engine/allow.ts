import type { Allowlist } from '../rules/rule.js';

/** What an allowlist is asked about. `line` is at most 1 KB to each side of the match. */
export interface Candidate {
  readonly secret: string;
  readonly match: string;
  readonly line: string;
  /** As latin1 text of its UTF-8 bytes, like everything that patterns are run on. */
  readonly path: string;
}

/** Whether an allowlist says that a match is no secret. */
export function allows(list: Allowlist, candidate: Candidate): boolean {
  const checks: boolean[] = [];
  if (list.paths.length > 0) checks.push(list.paths.some((path) => path.test(candidate.path)));
  if (list.regexes.length > 0) {
    const target = candidate[list.regexTarget];
    checks.push(list.regexes.some((regex) => regex.test(target)));
  }
  if (list.stopwords.length > 0) {
    const secret = candidate.secret.toLowerCase();
    checks.push(list.stopwords.some((word) => secret.includes(word)));
  }
  if (checks.length === 0) return false;
  return list.condition === 'AND' ? checks.every(Boolean) : checks.some(Boolean);
}

/** Whether an allowlist clears a whole path, so that its rule need not run at all. */
export const allowsPath = (list: Allowlist, path: string): boolean =>
  list.paths.some((pattern) => pattern.test(path)) &&
  (list.condition === 'OR' || (list.regexes.length === 0 && list.stopwords.length === 0));

const INLINE_ALLOW = /gitleaks:allow|sallyport:allow/;

/** Whether the author of a line has marked it as known. */
export const isMarkedAllowed = (line: string): boolean => INLINE_ALLOW.test(line);
