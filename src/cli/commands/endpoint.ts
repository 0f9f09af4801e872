import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';
import { facts } from '../facts.js';
import { table } from '../table.js';
import { isOn, query } from '../values.js';

interface Endpoint {
  readonly id: string;
  readonly kind: string;
  readonly url: string | null;
  readonly region: string;
  readonly pathStyle: boolean;
  readonly credentials: {
    readonly kind: string;
    readonly accessKeyHint: string | null;
    readonly roleArn: string | null;
    readonly externalId: string | null;
  };
  readonly version: number;
  readonly updatedAt: string;
  readonly updatedBy: string;
}

interface Wanted {
  readonly url?: string;
  readonly aws?: true;
  readonly region?: string;
  readonly pathStyle?: string;
  readonly keys?: string;
  readonly roleArn?: string;
  readonly externalId?: string;
  readonly defaultCredentials?: true;
}

const ENDPOINTS = '/api/v1/endpoints';

/** `endpoint list|show|add|set|events-token|remove`: the servers that buckets are on. */
export function addEndpoint(program: Command, cli: Cli): void {
  const group = program.command('endpoint').description('the S3 servers that buckets are on');
  group
    .command('list')
    .description('list them')
    .action(async () => {
      cli.print(await cli.client.call<{ items: readonly Endpoint[] }>('GET', ENDPOINTS), ({ items }) =>
        table(
          ['ID', 'ADDRESS', 'REGION', 'CREDENTIALS', 'FROM'],
          items.map((one) => [one.id, one.url ?? 'AWS', one.region, credentialsLine(one), one.kind]),
        ),
      );
    });
  group
    .command('show')
    .description('show one')
    .argument('<ID>')
    .action(async (id: string) => cli.print(await cli.client.call<Endpoint>('GET', pathOf(id)), lines));
  settable(group.command('add').description('register an endpoint').argument('<ID>', 'a name for it')).action(
    async (id: string, wanted: Wanted) => {
      const credentials = credentialsOf(wanted) ?? { kind: 'default' };
      const body = { id, ...addressOf(wanted), credentials };
      cli.print(await cli.client.call<Endpoint>('POST', ENDPOINTS, body), lines);
    },
  );
  settable(group.command('set').description('change it').argument('<ID>')).action(
    async (id: string, wanted: Wanted) => {
      const credentials = credentialsOf(wanted);
      const body = { ...addressOf(wanted), ...(credentials !== undefined && { credentials }) };
      if (Object.keys(body).length === 0) throw new CommandError('endpoint set: nothing to change is named.');
      const { version } = await cli.client.call<Endpoint>('GET', pathOf(id));
      cli.print(await cli.client.call<Endpoint>('PATCH', pathOf(id), { version, ...body }), lines);
    },
  );
  group
    .command('events-token')
    .description('print the token that its server presents to POST /events/s3')
    .argument('<ID>')
    .action(async (id: string) => {
      const answer = await cli.client.call<{ token: string }>('GET', `${pathOf(id)}/events-token`);
      cli.print(answer, ({ token }) => [token]);
    });
  group
    .command('remove')
    .description('forget it; its buckets are removed first')
    .argument('<ID>')
    .action(async (id: string) => {
      const { version } = await cli.client.call<Endpoint>('GET', pathOf(id));
      await cli.client.call('DELETE', query(pathOf(id), { version }));
      cli.print({ removed: id }, () => ['Removed.']);
    });
}

const settable = (command: Command): Command =>
  command
    .option('--url <URL>', 'the server; AWS by default')
    .option('--aws', 'AWS, in place of a server')
    .option('--region <REGION>')
    .option('--path-style <on|off>', 'on by default where there is a URL')
    .option('--keys <FILE>', 'a file with accessKeyId:secretAccessKey')
    .option('--role-arn <ARN>', 'a role to take on, by the keys or by the default chain')
    .option('--external-id <ID>', 'of the role')
    .option('--default-credentials', 'the service’s own, for AWS only');

function addressOf({ url, aws, region, pathStyle }: Wanted): Record<string, unknown> {
  return {
    ...(url !== undefined && { url }),
    ...(aws === true && { url: null }),
    ...(region !== undefined && { region }),
    ...(pathStyle !== undefined && { pathStyle: isOn('--path-style', pathStyle) }),
  };
}

function credentialsOf(wanted: Wanted): Record<string, unknown> | undefined {
  const { roleArn, externalId, defaultCredentials } = wanted;
  const keys = wanted.keys === undefined ? undefined : keysIn(wanted.keys);
  if (roleArn !== undefined) return { kind: 'role', roleArn, externalId, keys };
  if (externalId !== undefined)
    throw new CommandError('--external-id: belongs to a role. Name it with --role-arn.');
  if (keys !== undefined) return { kind: 'keys', ...keys };
  return defaultCredentials === true ? { kind: 'default' } : undefined;
}

/** From a file: what is typed stands in the shell's history and in the list of processes. */
function keysIn(path: string): { accessKeyId: string; secretAccessKey: string } {
  const text = read(path).trim();
  const [, accessKeyId, secretAccessKey] = /^([^:\s]+):(\S+)$/.exec(text) ?? [];
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new CommandError(`--keys: ${path} must hold one line: accessKeyId:secretAccessKey.`);
  }
  return { accessKeyId, secretAccessKey };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandError(`--keys: ${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

const pathOf = (id: string): string => `${ENDPOINTS}/${encodeURIComponent(id)}`;

function credentialsLine({ credentials }: Endpoint): string {
  const { kind, accessKeyHint, roleArn } = credentials;
  if (kind === 'role') return roleArn ?? kind;
  return accessKeyHint === null ? kind : `${kind} ${accessKeyHint}`;
}

const lines = (endpoint: Endpoint): string[] =>
  facts([
    ['id', endpoint.id],
    ['address', endpoint.url ?? 'AWS'],
    ['region', endpoint.region],
    ['path style', endpoint.pathStyle ? 'yes' : 'no'],
    ['credentials', credentialsLine(endpoint)],
    ['external id', endpoint.credentials.externalId],
    ['from', endpoint.kind],
    ['changed', `${endpoint.updatedAt} by ${endpoint.updatedBy} (version ${endpoint.version})`],
  ]);
