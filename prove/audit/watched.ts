const EVERY_MS = 20;

export interface Watched<T> {
  readonly result: T;
  readonly seconds: number;
  /** By which the process grew meanwhile, at most. */
  readonly mebibytes: number;
}

/** Runs `work`, and says how long it took and how much memory the process took on for it. */
export async function watched<T>(work: () => Promise<T>): Promise<Watched<T>> {
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), EVERY_MS);
  const began = performance.now();
  try {
    const result = await work();
    const seconds = (performance.now() - began) / 1000;
    return { result, seconds, mebibytes: (Math.max(most, process.memoryUsage.rss()) - before) / 2 ** 20 };
  } finally {
    clearInterval(timer);
  }
}
