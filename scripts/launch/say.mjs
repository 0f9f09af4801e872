/** Something that a person can put right; its message says how. Printed alone, without a stack. */
export class Refusal extends Error {}

const isTerminal = process.stderr.isTTY;
const hasColour = isTerminal && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
const paint = (code, text) => (hasColour ? `\u001b[${code}m${text}\u001b[0m` : text);

/** One line of progress. On stderr, so that a command's own output can be piped on. */
export const say = (line) => process.stderr.write(`${line}\n`);

/** Prints why nothing more is done. */
export function complain(error) {
  const text =
    error instanceof Refusal || error?.isRefusal === true ? error.message : (error?.stack ?? String(error));
  say(`${paint('31', 'Stopped:')} ${text}`);
}

const seconds = (sinceMs) => (performance.now() - sinceMs) / 1000;

/** A duration as a person says it. */
export const inWords = (value) => (value < 10 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`);

/**
 * Does one step with a line that lives while it runs: counting seconds in a terminal, two plain lines in a pipe.
 * Resolves with the seconds that it took.
 */
export async function step(doing, done, work) {
  const start = performance.now();
  if (!isTerminal) say(`${doing} …`);
  const draw = () =>
    process.stderr.write(`\r\u001b[K${paint('36', '…')} ${doing}  ${Math.round(seconds(start))} s`);
  const clear = () => process.stderr.write('\r\u001b[K');
  if (isTerminal) draw();
  const timer = isTerminal ? setInterval(draw, 1000) : undefined;
  try {
    await work();
  } finally {
    clearInterval(timer);
    if (isTerminal) clear();
  }
  const took = seconds(start);
  say(`${paint('32', isTerminal ? '✓' : '-')} ${done} in ${inWords(took)}`);
  return took;
}
