import pg from 'pg';
import { connectionTo } from '../database/connection.js';
import { explainRefusal } from '../database/refusals.js';

/** The one connection of a backup or restore. @throws ConfigError or Unavailable as a start does. */
export async function connectAs(url: string, applicationName: string): Promise<pg.Client> {
  const client = new pg.Client({ ...connectionTo(url), application_name: applicationName });
  // Told by the statement that is under way.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    throw explainRefusal(error, 'DATABASE_URL');
  }
}
