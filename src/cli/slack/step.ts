import type { Cli } from '../cli.js';

/** Says that something is done, or was before. Beside the output, so that `--json` stays JSON. */
export const done = (cli: Cli, text: string): void => cli.note(`[done] ${text}`);
/** Says what somebody has to do now. */
export const todo = (cli: Cli, text: string): void => cli.note(`[todo] ${text}`);
