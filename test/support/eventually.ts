/** Asks until the answer is there: `probe` returns undefined or false, or throws, while it is not. */
export async function eventually<T>(
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  options: { readonly timeoutMs?: number; readonly what?: string } = {},
): Promise<T> {
  const deadline = performance.now() + (options.timeoutMs ?? 10_000);
  let last: unknown;
  for (;;) {
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline)
      throw new Error(`never came true: ${options.what ?? 'the condition'}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
