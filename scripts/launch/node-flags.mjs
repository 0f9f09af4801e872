/*
 * How much memory V8 takes before it collects. Without a limit on the old generation it lets garbage grow to four times
 * what is in use; with one below 2 GiB, to less than twice (V8, MemoryController::MaxGrowingFactor). Larger semi-spaces
 * let what a running workflow needs for a moment die young, which costs less than collecting it later.
 *
 * Measured with 500 workflows at a time: docs/decisions/0013-bounds-on-garbage.md.
 */
const MEMORY_FLAGS = ['--max-semi-space-size=16', '--max-old-space-size=1536'];

/** The flags that the service's Node is started with; one that the operator gives in NODE_OPTIONS is left to him. */
export function nodeFlags({ NODE_OPTIONS = '' } = process.env) {
  const isGiven = (flag) => NODE_OPTIONS.replaceAll('_', '-').includes(flag.split('=')[0]);
  return ['--enable-source-maps', ...MEMORY_FLAGS.filter((flag) => !isGiven(flag))];
}
