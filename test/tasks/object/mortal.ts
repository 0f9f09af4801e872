import { Database } from '../../../src/database/database.js';
import type { Queryable } from '../../../src/database/queryable.js';
import type { BucketPolicy } from '../../../src/s3/buckets.js';
import { Endpoints } from '../../../src/s3/endpoints.js';
import { ObjectStorage, type ObjectStorageOptions } from '../../../src/s3/object-storage.js';
import { Stage } from '../stage.js';

const never = new Promise<never>(() => undefined);

/**
 * A process that is killed right after its n-th effect: a request to S3 or a statement to the database, before it hears of
 * the answer. From then on nothing of it goes on; what it had sent stays done.
 */
export class Death {
  readonly came: Promise<'dead'>;
  /** What was asked of S3, in order. */
  readonly requests: string[] = [];
  effects = 0;
  private die: () => void = () => undefined;
  private isDead = false;

  /** @param at 0 for a process that lives. */
  constructor(private readonly at = 0) {
    this.came = new Promise((resolve) => (this.die = () => resolve('dead')));
  }

  async effect<T>(work: () => Promise<T>): Promise<T> {
    if (this.isDead) return never;
    this.effects += 1;
    const isLast = this.effects === this.at;
    const [result] = await Promise.allSettled([work()]);
    if (isLast || this.isDead) return this.end();
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  }

  private end(): Promise<never> {
    this.isDead = true;
    this.die();
    return never;
  }
}

class MortalDatabase extends Database {
  constructor(
    url: string,
    private readonly death: Death,
  ) {
    super(url, { maxConnections: 3 });
  }

  override query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]> {
    return this.death.effect(() => super.query<Row>(text, values));
  }

  override transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    return this.death.effect(() => super.transaction(work));
  }
}

/** A process beside a living one, on the same S3, database and ledger, that may die. Close it. */
export async function mortalStage(
  alive: Stage,
  databaseUrl: string,
  death: Death,
  options: {
    storage?: ObjectStorageOptions;
    environment?: Record<string, string>;
    policies?: readonly BucketPolicy[];
  } = {},
): Promise<{ stage: Stage; close: () => Promise<void> }> {
  const { s3 } = alive;
  const { hostname, port } = await s3.client.config.endpoint!();
  const keys = await s3.client.config.credentials();
  const endpoints = new Endpoints(s3.config);
  endpoints.registerEmbedded({ endpoint: `http://${hostname}:${port ?? 0}`, ...keys });
  endpoints.client('embedded').middlewareStack.add(
    (next, context) => (args) => {
      death.requests.push(context.commandName ?? '');
      return death.effect(() => next(args));
    },
    { step: 'initialize', name: 'death' },
  );
  const db = new MortalDatabase(databaseUrl, death);
  const storage = new ObjectStorage(endpoints, options.storage ?? {});
  const environment = options.environment ?? {};
  const stage = new Stage(
    { ...s3, endpoints, storage },
    db,
    environment,
    {},
    {
      secrets: alive.secrets,
      policies: options.policies,
    },
  );
  // The ledger is a database's and outlives its processes; this one is in memory.
  const { scans, actions, standings, verdictsByETag } = alive.ledger;
  Object.assign(stage.ledger, { scans, actions, standings, verdictsByETag });
  return {
    stage,
    close: async () => {
      await stage.close();
      endpoints.close();
      await db.close();
    },
  };
}
