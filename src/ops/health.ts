/** One line of /health. `remedy` is the one line that mends it. */
export interface HealthResult {
  readonly name: string;
  readonly healthy: boolean;
  /** Works, but not as it should: shown as degraded, does not make the service unhealthy. */
  readonly degraded?: boolean | undefined;
  /** One word for machines, where a check tells several states apart. */
  readonly state?: string | undefined;
  readonly detail: string;
  readonly remedy?: string | undefined;
}

/** Something that knows how it is; must answer within a second and never throw for a state it can name. */
export abstract class HealthCheck {
  abstract readonly name: string;
  abstract check(): Promise<readonly HealthResult[]> | readonly HealthResult[];
}

/** Where stages put their checks at start; bounded by the number of stages. */
export class HealthRegistry {
  private readonly checks: HealthCheck[] = [];

  add(check: HealthCheck): void {
    this.checks.push(check);
  }

  /** All results; a check that throws or hangs is itself an unhealthy result. */
  async results(): Promise<readonly HealthResult[]> {
    const all = await Promise.all(this.checks.map((check) => bounded(check)));
    return all.flat();
  }
}

const CHECK_TIMEOUT_MS = 2000;

async function bounded(check: HealthCheck): Promise<readonly HealthResult[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly HealthResult[]>((resolve) => {
    timer = setTimeout(
      () =>
        resolve([{ name: check.name, healthy: false, detail: `no answer within ${CHECK_TIMEOUT_MS} ms` }]),
      CHECK_TIMEOUT_MS,
    );
  });
  try {
    return await Promise.race([Promise.resolve(check.check()), late]);
  } catch (error) {
    return [{ name: check.name, healthy: false, detail: (error as Error).message }];
  } finally {
    clearTimeout(timer);
  }
}
