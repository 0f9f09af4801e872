/** A failure that the user can mend; the message names the remedy. Exit code 2, so that 1 stays "did not complete". */
export class CommandError extends Error {}
