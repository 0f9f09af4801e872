import type { Config } from '../config.js';
import { publicUrl } from '../config.js';
import type { Credentials } from './home.js';

/** What the first screen says about malware scanning. */
export interface MalwareLine {
  readonly level: 'full' | 'degraded' | 'none';
  readonly detail: string;
  readonly remedy?: string | undefined;
}

export interface BannerFacts {
  readonly config: Config;
  readonly credentials: Credentials;
  /** The admin was made by this very start. */
  readonly isFirstStart: boolean;
  readonly s3Url: string | undefined;
  readonly malware: MalwareLine;
  /** How many there are in all. */
  readonly secretRules: number;
  /** As "installed in 31 s, built in 12 s, ready after 46 s". */
  readonly took: string;
  readonly seeded: number;
}

/**
 * One tidy screen: where to look, how to log in, what to try.
 *
 * The password is shown by the start that made it; later ones name the file that keeps it.
 */
export function banner(facts: BannerFacts): string {
  const { config, credentials, s3Url } = facts;
  const url = publicUrl(config);
  const hasApi = config.ROLES.includes('api');
  const rows: [string, string][] = [hasApi ? ['Web UI', url] : ['Health', `${url}/health`]];
  if (!hasApi) rows.push(['Roles', config.ROLES.join(', ')]);
  else if (config.AUTH === 'off') rows.push(['Login', 'none needed: AUTH=off, loopback only']);
  else if (credentials.admin === undefined)
    rows.push(['Login', 'as set up by the first process on this database']);
  else if (facts.isFirstStart)
    rows.push(['Login', `${credentials.admin.name} / ${credentials.admin.password}`]);
  else
    rows.push([
      'Login',
      `${credentials.admin.name}; the password is in ${config.SALLYPORT_HOME}/credentials.json`,
    ]);
  if (config.AUTH === 'on' && credentials.apiKey !== undefined) {
    rows.push([
      'API key',
      facts.isFirstStart
        ? `${credentials.apiKey.keyId}:${credentials.apiKey.keySecret}`
        : `${credentials.apiKey.keyId} (secret in credentials.json)`,
    ]);
  }
  if (s3Url !== undefined) {
    rows.push(['S3', `${s3Url}  bucket uploads`]);
    rows.push([
      'S3 keys',
      `${credentials.s3.accessKeyId} ${facts.isFirstStart ? credentials.s3.secretAccessKey : '(secret in credentials.json)'}`,
    ]);
  }
  rows.push([
    'Mail',
    config.SMTP_URL === undefined ? `caught: ${url}/mailbox` : `sent from ${config.MAIL_FROM}`,
  ]);
  rows.push(['Malware', facts.malware.detail]);
  if (config.SECRET_RULES !== undefined)
    rows.push(['Secrets', `${facts.secretRules} rules, those of SECRET_RULES among them.`]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  const rule = '─'.repeat(72);
  return ['', rule, `  Sallyport is ready  (${facts.took})`, '', ...lines, ...hints(facts), rule, ''].join(
    '\n',
  );
}

function hints({ config, credentials, s3Url, malware, seeded }: BannerFacts): string[] {
  const lines: string[] = [];
  if (s3Url !== undefined) {
    const secret = `$(node -p 'require(process.argv[1]).s3.secretAccessKey' ${quoted(`${config.SALLYPORT_HOME}/credentials.json`)})`;
    lines.push(
      '',
      '  Try it (with the AWS CLI):',
      `  AWS_ACCESS_KEY_ID=${credentials.s3.accessKeyId} AWS_SECRET_ACCESS_KEY=${secret} \\`,
      `  aws --endpoint-url ${s3Url} --region us-east-1 s3 cp README.md s3://uploads/`,
    );
  }
  if (seeded > 0)
    lines.push(
      '',
      `  ${seeded} harmless samples were uploaded and are being scanned: see Objects in the web UI.`,
    );
  if (malware.level !== 'full') {
    lines.push(
      '',
      '  Without a malware engine and its signatures objects are `incomplete`, and `clean (secrets)` where no more is required.',
      `  To mend it: ${malware.remedy ?? 'see docs/operating.md'}`,
    );
  }
  return lines;
}

/** One word for a POSIX shell, whatever the path holds. */
const quoted = (path: string): string => `'${path.replaceAll("'", `'\\''`)}'`;
