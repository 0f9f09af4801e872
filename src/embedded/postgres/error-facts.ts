/** The code of a system error (`ENOENT`, `EACCES` …), or undefined when it is an error of another kind. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What any thrown value has to say. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
