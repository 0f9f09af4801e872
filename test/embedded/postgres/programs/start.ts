// Starts PostgreSQL in the folder given, prints what came of it as one line of JSON, and then waits to be killed.
import { startEmbeddedPostgres } from '../../../../src/embedded/postgres/start-embedded-postgres.js';

const [, , directory = ''] = process.argv;
try {
  const { url, adminUrl, pid } = await startEmbeddedPostgres({ directory });
  console.log(JSON.stringify({ url, adminUrl, pid }));
  setInterval(() => undefined, 60_000);
} catch (error) {
  console.log(JSON.stringify({ error: String(error) }));
  process.exitCode = 1;
}
