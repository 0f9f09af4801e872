/** A failure that the user can mend; the message names the remedy. Exit code 2, so that 1 stays "the answer is no". */
export class CommandError extends Error {}
