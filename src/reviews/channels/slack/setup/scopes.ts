/** A scope of the bot token, and what does not work without it. */
export interface WantedScope {
  readonly scope: string;
  readonly without: string;
}

/** What reviews use of Slack. */
export const WANTED_SCOPES: readonly WantedScope[] = [
  { scope: 'chat:write', without: 'nothing can be posted' },
  { scope: 'channels:history', without: 'a message whose answer was lost may appear twice' },
];

/** Those that are missing. Slack lists the scopes with each answer; where it did not, none is called missing. */
export const missingScopes = (granted: readonly string[]): string[] =>
  granted.length === 0
    ? []
    : WANTED_SCOPES.map(({ scope }) => scope).filter((scope) => !granted.includes(scope));
