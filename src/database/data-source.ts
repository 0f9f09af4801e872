import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DataSource, type DataSourceOptions, type MigrationInterface, type MixedList } from 'typeorm';
import { connectionTo } from './connection.js';
import { poolSizes } from './pool-sizes.js';
import { GENERAL_QUERY_TIMEOUT_MS } from './session-settings.js';

const here = fileURLToPath(new URL('.', import.meta.url));

export type MigrationClass = new () => MigrationInterface;

/** Every migration class, found by its file name `<timestamp>-<verb-object>`. */
export async function migrations(): Promise<MigrationClass[]> {
  const files = readdirSync(`${here}migrations`).filter((name) => /^\d{13}-[a-z0-9-]+\.(js|ts)$/.test(name));
  const classes: MigrationClass[] = [];
  for (const file of files.sort()) {
    const module = (await import(new URL(`./migrations/${file}`, import.meta.url).href)) as Record<
      string,
      MigrationClass
    >;
    classes.push(...Object.values(module));
  }
  return classes;
}

/** What all data sources have in common. */
export function dataSourceOptions(url: string, migrationClasses: readonly MigrationClass[]) {
  const { connectionString, ...extra } = connectionTo(url);
  return {
    type: 'postgres' as const,
    url: connectionString ?? url,
    migrations: [...migrationClasses],
    migrationsTableName: 'schema_migration',
    synchronize: false,
    logging: false as const,
    // An idle connection that breaks is replaced; TypeORM would print a line for each.
    poolErrorHandler: () => undefined,
    // No uuid extension: every id is made by us.
    installExtensions: false,
    extra,
  };
}

/** TypeORM's side of the database: entities as the readable schema, plain reads and single-row writes. */
export async function createDataSource(
  url: string,
  entities: MixedList<new () => object> = [],
  poolSize: number = poolSizes().orm,
): Promise<DataSource> {
  const options = dataSourceOptions(url, await migrations());
  return new DataSource({
    ...options,
    entities: entities as DataSourceOptions['entities'] & {},
    poolSize,
    applicationName: 'sallyport-orm',
    extra: { ...options.extra, query_timeout: GENERAL_QUERY_TIMEOUT_MS },
  });
}
