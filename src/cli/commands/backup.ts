import type { Command } from 'commander';
import { besideService } from '../beside-service.js';
import type { Cli } from '../cli.js';
import { facts } from '../facts.js';

/** `backup PLACE`. */
export function addBackup(program: Command, cli: Cli): void {
  program
    .command('backup')
    .description('write a backup, while the service runs: of the database, and of what lies beside it')
    .argument('<PLACE>', 'a new folder, or s3://bucket/prefix on S3_ENDPOINT')
    .option('--with-secrets', 'also SALLYPORT_KEY and the first credentials: whoever reads it then reads all')
    .addHelpText('after', BESIDE)
    .action(async (place: string, options: { withSecrets?: boolean }) => {
      const made = await besideService(cli, ({ backup }, tell) =>
        backup(place, options, cli.environment, tell),
      );
      cli.print(made, ({ at, tables, rows, bytes, chain, hasObjects, hasSecrets, key }) => [
        `Complete: ${place}`,
        ...facts([
          ['as of', at],
          ['database', `${rows} rows of ${tables} tables`],
          ['size', `${bytes} bytes`],
          ['audit record', `${chain.events} events${chain.head === null ? '' : `, head ${chain.head}`}`],
          ['objects', hasObjects ? 'those of the embedded S3 endpoint' : 'none: they are in your own S3'],
        ]),
        hasSecrets
          ? 'It holds SALLYPORT_KEY and the first credentials: keep it as you keep passwords.'
          : `SALLYPORT_KEY is not in it (${key}). Keep that elsewhere: without it the backup cannot be restored.`,
      ]);
    });
}

/** Where these two commands differ from the others. */
export const BESIDE = `
This works on the database itself, with the settings of the service: DATABASE_URL and SALLYPORT_KEY, or
SALLYPORT_HOME (.sallyport here) for the embedded PostgreSQL; S3_ENDPOINT, S3_REGION and AWS's own
credentials for s3://. SALLYPORT_URL and SALLYPORT_API_KEY mean nothing to it.`;
