import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DataSource, type DataSourceOptions, type MixedList } from 'typeorm';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Every migration class, found by its file name `<timestamp>-<verb-object>`. */
export async function migrations(): Promise<(new () => object)[]> {
  const files = readdirSync(`${here}migrations`).filter((name) => /^\d{13}-[a-z0-9-]+\.(js|ts)$/.test(name));
  const classes: (new () => object)[] = [];
  for (const file of files.sort()) {
    const module = (await import(new URL(`./migrations/${file}`, import.meta.url).href)) as Record<
      string,
      new () => object
    >;
    classes.push(...Object.values(module));
  }
  return classes;
}

/** TypeORM's side of the database: entities as the readable schema, migrations, plain reads and single-row writes. */
export async function createDataSource(
  url: string,
  entities: MixedList<new () => object> = [],
): Promise<DataSource> {
  const options: DataSourceOptions = {
    type: 'postgres',
    url,
    entities: entities as DataSourceOptions['entities'] & {},
    migrations: await migrations(),
    migrationsTableName: 'schema_migration',
    synchronize: false,
    logging: false,
    poolSize: 6,
    applicationName: 'sallyport-orm',
    // No uuid extension: every id is made by us.
    installExtensions: false,
  };
  return new DataSource(options);
}
