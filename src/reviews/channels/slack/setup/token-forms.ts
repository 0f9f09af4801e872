/* The forms of Slack's tokens, and where each is found; the same for the environment, the API and the command line. */

/** One kind of token. What is said of it never repeats what was given: it may be a secret of another kind. */
export interface TokenForm {
  readonly form: RegExp;
  readonly wrong: string;
}

const formOf = (prefix: 'xoxb' | 'xapp', remedy: string): TokenForm => ({
  form: new RegExp(`^${prefix}-[A-Za-z0-9-]{10,}$`),
  wrong: `must begin with ${prefix}- and hold letters, digits and -: ${remedy}`,
});

export const BOT_TOKEN = formOf('xoxb', 'copy the Bot User OAuth Token from OAuth & Permissions');
export const APP_TOKEN = formOf(
  'xapp',
  'make one with connections:write under Basic Information, App-Level Tokens',
);

/** Signing secrets at the same time: the old one, and the new one. */
const MAX_SIGNING_SECRETS = 2;

export const SIGNING_SECRET: TokenForm = {
  form: new RegExp(`^[A-Za-z0-9]{16,}( *, *[A-Za-z0-9]{16,}){0,${MAX_SIGNING_SECRETS - 1}}$`),
  wrong: `must be the Signing Secret from Basic Information; at most ${MAX_SIGNING_SECRETS} with commas between them, while one replaces another`,
};
