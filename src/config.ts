import { resolve } from 'node:path';
import { z } from 'zod';
import { RoleNames } from './access/names.js';
import { groupMap } from './access/oidc/group-map.js';
import { ACCESS_ROLES } from './access/principal.js';
import { DEFAULT_POOL_SIZE, MIN_POOL_SIZE } from './database/pool-sizes.js';
import { ConfigError } from './errors.js';
import { parseProxy } from './http/client.js';
import { parseNetwork } from './outbound/egress/addresses.js';
import {
  dailySchedule,
  weeklySchedule,
  type DigestSchedule,
} from './reviews/channels/slack/digests/digest-schedule.js';
import { APP_TOKEN, BOT_TOKEN } from './reviews/channels/slack/setup/token-forms.js';

/*
 * Every environment variable that the service reads, its default and its meaning. Nothing else reads process.env
 * (the AWS SDK's own credential chain and the other OTEL_* are read by their libraries).
 */

const port = z.coerce
  .number('must be a port number, 0 to 65535')
  .int('must be a whole number')
  .min(0, 'must be a port number, 0 to 65535')
  .max(65_535, 'must be a port number, 0 to 65535');
const onOff = (fallback: 'on' | 'off') => z.enum(['on', 'off']).default(fallback);
const flag = (fallback: boolean) =>
  z
    .enum(['true', 'false'])
    .default(fallback ? 'true' : 'false')
    .transform((value) => value === 'true');
const commaList = (value: string): string[] =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
const list = z.string().default('').transform(commaList);
/** `undefined` when it is off. */
function scheduleIn(
  text: string,
  read: (text: string) => DigestSchedule | undefined,
  what: string,
  context: z.RefinementCtx,
): DigestSchedule | undefined {
  if (text.trim().toLowerCase() === 'off') return undefined;
  const schedule = read(text);
  if (schedule === undefined) context.addIssue({ code: 'custom', message: `must be ${what}, or off` });
  return schedule;
}
const absolutePath = (fallback: string) =>
  z
    .string()
    .min(1)
    .default(fallback)
    .transform((path) => resolve(path));
const isTimeZone = (timeZone: string): boolean => {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone }));
  } catch {
    // RangeError is how the runtime says that it knows no such zone.
    return false;
  }
};
const amount = z.coerce.number('must be an amount of money').min(0, 'must not be negative').max(1_000);
/** `currency=EUR,list=0.005,get=0.0004,put=0.005,gb=0.09`: what is left out stays as it is. */
const prices = z
  .string()
  .default('')
  .transform((text, context) => {
    const parts = text.split(',').filter((part) => part.trim() !== '');
    const given = Object.fromEntries(parts.map((part) => part.split('=', 2).map((side) => side.trim())));
    const parsed = z
      .strictObject({
        currency: z
          .string()
          .regex(/^[A-Z]{3}$/, 'must be three letters, as in USD')
          .default('USD'),
        // AWS's list price in us-east-1 for S3 Standard, read from the same region.
        list: amount.default(0.005),
        get: amount.default(0.0004),
        put: amount.default(0.005),
        gb: amount.default(0),
      })
      .safeParse(given);
    if (parsed.success) return parsed.data;
    for (const { path, message } of parsed.error.issues) {
      context.addIssue({ code: 'custom', message: `${path.join('.')}: ${message}`.replace(/^: /, '') });
    }
    return z.NEVER;
  });
const httpUrl = z.url({ protocol: /^https?$/ });
const networks = list.transform((texts, context) =>
  texts.flatMap((text) => {
    try {
      return [parseProxy(text)];
    } catch {
      context.addIssue({
        code: 'custom',
        message: `must be a comma list of addresses and networks, as 10.0.0.7,10.2.0.0/16; "${text}" is neither`,
      });
      return [];
    }
  }),
);
const claim = (fallback: string) => z.string().min(1).max(200).default(fallback);

const DOMAIN = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/;
const SNS_TOPIC_ARN = /^arn:aws(-[a-z]+)*:sns:[a-z0-9-]{3,40}:\d{12}:[\w-]{1,256}(\.fifo)?$/;

const kilobytes = (fallback: number) =>
  z.coerce
    .number('must be a number of kilobytes')
    .int('must be a whole number of kilobytes')
    .min(1, 'must be at least 1 kilobyte')
    .max(10_240, 'must be at most 10240 kilobytes')
    .default(fallback);

export const ROLES = ['api', 'engine', 'worker', 'intake', 'notify', 'reports'] as const;
export type Role = (typeof ROLES)[number];

const Environment = z.object({
  NODE_ENV: z.enum(['development', 'production', 'test']).default('production'),
  /** Address and port of the web UI and the APIs. */
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: port.default(8080),
  /** The address that links in mails and Slack carry; http://HOST:PORT when unset. */
  PUBLIC_URL: httpUrl.optional(),
  /** More names that may appear in the Host header (beside loopback names and PUBLIC_URL's). */
  ALLOWED_HOSTS: list,
  /** Which background loops and servers this process runs. */
  ROLES: z
    .string()
    .default(ROLES.join(','))
    .transform((value) => value.split(',').map((role) => role.trim()))
    .pipe(z.array(z.enum(ROLES)).min(1)),

  /** A task that waits counts one priority higher per so many seconds, so that none waits for ever. */
  PRIORITY_AGEING_SECONDS: z.coerce.number().int().min(1).max(31_536_000).default(600),
  /** Polls of workers that may wait at this process at the same time; more are answered with 503. */
  LONG_POLLS: z.coerce.number().int().min(1).max(100_000).default(2_000),
  /** The same for one client (an API key at one address), answered with 429. */
  LONG_POLLS_PER_CLIENT: z.coerce.number().int().min(1).max(100_000).default(500),

  /** Set by `npm start`: when it began and how long installing and building took, for the banner. */
  SALLYPORT_LAUNCH: z.string().optional(),

  /** Holds everything embedded: database, objects, mailbox, credentials. */
  SALLYPORT_HOME: absolutePath('.sallyport'),
  /** PostgreSQL 15 or newer; the embedded one when unset. */
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** A role that may create tables, for migrations; DATABASE_URL when unset. */
  DATABASE_ADMIN_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** Where to listen for notices of other nodes, past a transaction pooler; DATABASE_URL when unset. */
  DATABASE_LISTEN_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** Connections of this process to PostgreSQL, all pools together; the one that listens comes on top. */
  DATABASE_POOL_SIZE: z.coerce
    .number('must be a whole number')
    .int('must be a whole number')
    .min(MIN_POOL_SIZE, `must be at least ${MIN_POOL_SIZE}, or its parts wait for each other`)
    .max(200, 'must be at most 200; more connections make PostgreSQL slower, not faster')
    .default(DEFAULT_POOL_SIZE),
  /** 32 bytes in base64: encrypts the keyring. Generated when embedded, required with DATABASE_URL. */
  SALLYPORT_KEY: z
    .string()
    .refine(
      (value) => Buffer.from(value, 'base64').length === 32,
      'must be 32 bytes in base64; make one with: openssl rand -base64 32',
    )
    .optional(),
  AUTH: onOff('on'),
  /** Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses and networks, comma list; none when unset. */
  TRUST_PROXY: networks,

  /**
   * People sign in at this OpenID Connect provider, too. The address as its metadata has it (issuer), https: without
   * `/.well-known/…`.
   */
  OIDC_ISSUER: httpUrl.optional(),
  /** What the login page calls it: "Sign in with …"; the issuer's host when unset. */
  OIDC_NAME: z.string().min(1).max(60).optional(),
  OIDC_CLIENT_ID: z.string().min(1).max(500).optional(),
  /** A client without secret proves itself by PKCE alone. */
  OIDC_CLIENT_SECRET: z.string().min(1).optional(),
  /** Path of a file that holds the secret, in place of OIDC_CLIENT_SECRET; read again every hour. */
  OIDC_CLIENT_SECRET_FILE: z.string().min(1).optional(),
  /** How the secret is sent: in the header (`basic`) or in the body (`post`), as it is registered at the provider. */
  OIDC_CLIENT_AUTH: z.enum(['basic', 'post']).default('basic'),
  /** Separated by spaces. */
  OIDC_SCOPES: z
    .string()
    .default('openid profile email')
    .transform((value) => value.split(/\s+/).filter(Boolean))
    .refine((scopes) => scopes.includes('openid'), 'must hold openid, as in: openid profile email groups'),
  /** Claims, of the ID token or of userinfo: a name, or a path as `realm_access.roles`. */
  OIDC_LOGIN_CLAIM: claim('preferred_username'),
  OIDC_EMAIL_CLAIM: claim('email'),
  /** Whether the provider vouches for the address: `true`, nothing else. */
  OIDC_EMAIL_VERIFIED_CLAIM: claim('email_verified'),
  OIDC_GROUPS_CLAIM: claim('groups'),
  /** People without an account here: `create` makes one at their first sign-in. */
  OIDC_UNKNOWN: z.enum(['refuse', 'create']).default('refuse'),
  /** Roles of accounts that are made so, comma list; `admin` is not given. */
  OIDC_NEW_ROLES: z
    .string()
    .default('viewer')
    .transform((value) =>
      value
        .split(',')
        .map((role) => role.trim())
        .filter(Boolean),
    )
    .pipe(RoleNames)
    .refine(
      (roles) => !roles.includes('admin'),
      'must not hold admin: whoever the provider knows would be one. Use OIDC_GROUPS',
    ),
  /** Whether a first sign-in opens the account that has the address, where the provider vouches for it. */
  OIDC_MATCH_EMAIL: flag(true),
  /** JSON of what the provider's groups give: `{"sec-ops": {"groups": ["Night shift"], "roles": ["analyst"]}}`. */
  OIDC_GROUPS: groupMap,
  /** Private networks and addresses that the provider may be in, comma list, as 10.2.0.0/16; else it must be public. */
  OIDC_ALLOWED_NETWORKS: networks,

  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
  LOG_FORMAT: z.enum(['auto', 'json', 'pretty']).default('auto'),

  /** Kilobytes of JSON of a workflow's input or output above which it is kept in the payload store. */
  PAYLOAD_WORKFLOW_THRESHOLD_KB: kilobytes(5_120),
  /** Above this a start is refused, and a workflow whose output is larger fails. */
  PAYLOAD_WORKFLOW_MAX_KB: kilobytes(10_240),
  /** The same for a task's input or output; above the maximum the task fails without a retry. */
  PAYLOAD_TASK_THRESHOLD_KB: kilobytes(3_072),
  PAYLOAD_TASK_MAX_KB: kilobytes(10_240),
  /** All variables of one workflow together; a SET_VARIABLE task above it fails. */
  PAYLOAD_VARIABLES_MAX_KB: kilobytes(256),

  /** Where spans are sent to (OTLP over HTTP, JSON; `/v1/traces` is added); none are made when unset. */
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
  /** The same for traces only, taken as it is. */
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpUrl.optional(),
  OTEL_EXPORTER_OTLP_PROTOCOL: z
    .enum(['http/json', 'http/protobuf'], 'must be http/json; name the collector’s HTTP port, 4318 as a rule')
    .default('http/json'),
  OTEL_SDK_DISABLED: flag(false),
  OTEL_TRACES_EXPORTER: z.enum(['otlp', 'none']).default('otlp'),
  /** Which of the traces that begin here are kept; those that came in are as whoever began them said. */
  OTEL_TRACES_SAMPLER: z
    .enum([
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ])
    .default('parentbased_always_on'),
  /** The share of them, 0 to 1. */
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1),
  /** Spans that wait for the collector or are on their way; more are dropped and counted. */
  OTEL_BSP_MAX_QUEUE_SIZE: z.coerce.number().int().min(100).max(200_000).default(20_000),

  /** How long a definition's script (a loop's condition) may run; at twice as long its thread is ended. */
  SCRIPT_MAX_EXECUTION_SECONDS: z.coerce
    .number('must be a number of seconds')
    .min(0.1, 'must be at least 0.1 seconds')
    .max(60, 'must be at most 60 seconds')
    .default(4),
  /** Scripts evaluated at the same time, each in a thread that starts with the first one. */
  SCRIPT_THREADS: z.coerce.number().int().min(1).max(16).default(1),

  /** Days that ended executions are kept where their name has no policy of its own; 0 keeps them for ever. */
  RETENTION_DAYS: z.coerce
    .number('must be a number of days')
    .int('must be a whole number of days')
    .min(0, 'must be 0 (for ever) or more days')
    .max(36_500, 'must be at most 36500 days; 0 keeps executions for ever')
    .default(90),
  /** Bucket on S3_ENDPOINT that keeps large values of workflows; PostgreSQL keeps them when unset. */
  PAYLOAD_BUCKET: z.string().min(1).optional(),

  /** Starts the embedded S3 endpoint; default on unless S3_ENDPOINT or S3_BUCKETS names another. */
  EMBEDDED_S3: z.enum(['auto', 'on', 'off']).default('auto'),
  S3_PORT: port.default(9000),
  SEED_SAMPLES: flag(true),
  S3_ENDPOINT: httpUrl.optional(),
  S3_REGION: z.string().min(1).default('us-east-1'),
  S3_FORCE_PATH_STYLE: flag(false),
  /** Buckets on it that are scanned; the registry (`/api/v1/buckets`) is seeded with them. */
  S3_BUCKETS: list,
  /** Whether endpoints that people register may be in loopback and private networks. */
  S3_ALLOW_PRIVATE_ENDPOINTS: flag(false),
  /** Where roles are taken on; AWS's own when unset. */
  S3_STS_ENDPOINT: httpUrl.optional(),
  /** Objects of backfills and rescans together that may wait for their scans; more are listed when these are done. */
  LISTING_HIGH_WATER: z.coerce
    .number('must be a whole number')
    .int('must be a whole number')
    .min(1_000, 'must be at least 1000, one page of a listing')
    .max(1_000_000, 'must be at most 1000000')
    .default(5_000),
  /** Clean objects that were first seen so many days ago are scanned again when signatures or rules change; 0: none. */
  RESCAN_CLEAN_DAYS: z.coerce
    .number('must be a number of days')
    .int('must be a whole number of days')
    .min(0, 'must be 0 (never) or more days')
    .max(3_650, 'must be at most 3650 days')
    .default(7),
  /** What S3 charges for a thousand requests, and a gigabyte read; for the estimates of backfills. */
  S3_PRICES: prices,
  QUARANTINE_BUCKET: z.string().optional(),
  ACTION_MODE: z.enum(['observe', 'tag', 'quarantine']).optional(),
  /** `closed`: the baseline takes in no more; what is known is asked for as an exception, which a second person agrees to. */
  BASELINE: z.enum(['open', 'closed']).default('open'),
  /** Days that a finding may be suppressed, called no danger, or its risk be borne, before somebody must agree again. */
  EXCEPTION_MAX_DAYS: z.coerce
    .number('must be a number of days')
    .int('must be a whole number of days')
    .min(1, 'must be at least 1 day')
    .max(1_095, 'must be at most 1095 days, three years')
    .default(365),
  /** Days in which a finding that is real must be remedied, where nobody says otherwise. */
  REMEDY_DAYS: z.coerce
    .number('must be a number of days')
    .int('must be a whole number of days')
    .min(1, 'must be at least 1 day')
    .max(365, 'must be at most 365 days')
    .default(14),
  DEGRADED_POLICY: z.enum(['tag', 'review']).default('tag'),
  VERDICT_TAG_STYLE: z.enum(['sallyport', 'guardduty']).default('sallyport'),
  /** Says what each action would do, and does nothing. */
  DRY_RUN: flag(false),

  /** URLs of SQS queues that hold the events of buckets, comma list. */
  SQS_QUEUE_URLS: list.pipe(
    z
      .array(httpUrl, 'must be a comma list of queue URLs, as https://sqs.eu-central-1.amazonaws.com/…')
      .max(50),
  ),
  /** Another server that speaks like SQS; AWS's own when unset. */
  SQS_ENDPOINT: httpUrl.optional(),
  /** Receivers that may help at once where a queue is full; each queue has one more that is always there. */
  SQS_RECEIVERS: z.coerce.number().int().min(0).max(64).default(8),
  /** ARNs of SNS topics whose messages POST /events/sns takes, comma list; none is taken when unset. */
  SNS_TOPIC_ARNS: list.pipe(
    z
      .array(
        z
          .string()
          .regex(SNS_TOPIC_ARN, 'must be a comma list of topic ARNs, as arn:aws:sns:eu-central-1:…:name'),
      )
      .max(100),
  ),
  /** Refuses messages that are signed with SHA-1; the topic's SignatureVersion must then be 2. */
  SNS_REQUIRE_V2: flag(false),
  /** Ids of the AWS principals (AROA…, AIDA…) or access keys that are the service's own: what they write is not scanned. */
  OWN_PRINCIPALS: list,
  /** Days and rows that rejects are kept; the oldest go first. */
  REJECTS_DAYS: z.coerce.number().int().min(1).max(3_650).default(30),
  REJECTS_MAX: z.coerce.number().int().min(100).max(1_000_000).default(20_000),

  /** Path of a JSON file of trigger rules, `{"rules": [...]}`: applied at the start and whenever its content changes. */
  TRIGGERS_FILE: z.string().min(1).optional(),

  /** Token for POST /events/s3; generated and kept in the credentials file when unset. */
  EVENTS_TOKEN: z.string().min(16).optional(),

  CLAMD_HOST: z.string().optional(),
  CLAMD_PORT: port.default(3310),
  CLAMD_SOCKET: z.string().optional(),
  /** Starts and supervises a clamd of our own where the binary is installed. */
  CLAMD_MANAGED: flag(false),
  /** `trusted`: a database without the official signatures still counts as a malware engine; shown everywhere. */
  CLAMD_CUSTOM_DB: z.enum(['untrusted', 'trusted']).default('untrusted'),
  /** Where the managed clamd finds its signatures; SALLYPORT_HOME/clamav when unset. */
  CLAMD_DATABASE: z.string().optional(),
  /** Looks for a clamd on its usual sockets and port when none is configured. */
  CLAMD_DISCOVERY: onOff('on'),
  /** Path of a gitleaks-format TOML file whose rules are added to the built-in pack. */
  SECRET_RULES: z.string().optional(),
  /** Asks providers whether found secrets are in use, where a rule says how: each secret goes to its own provider. */
  SECRET_VERIFY: onOff('off'),
  /** Hosts that may be asked, comma list, as api.github.com; nobody else is. */
  SECRET_VERIFY_HOSTS: list.pipe(
    z
      .array(
        z
          .string()
          .toLowerCase()
          .regex(
            /^[a-z0-9.-]{1,253}(:\d{1,5})?$/,
            'must be a comma list of hosts, as api.github.com,slack.com',
          ),
      )
      .max(200),
  ),
  /**
   * Path of a file of YARA rules, or of a folder of *.yar and *.yara. Rules that do not compile stop the start. Needs
   * @litko/yara-x, which comes along for linux-x64 (glibc) and macOS.
   */
  YARA_RULES: z.string().min(1).optional(),
  /** Objects scanned at the same time. */
  SCAN_CONCURRENCY: z.coerce.number().int().min(1).max(64).default(8),
  /** Scans that may run at once, over all nodes; 4 for each of SCAN_CONCURRENCY, at least 128, when unset. */
  SCAN_MAX_RUNNING: z.coerce
    .number('must be a whole number')
    .int('must be a whole number')
    .min(1, 'must be at least 1; `sallyport queue pause` stops everything')
    .max(10_000, 'must be at most 10000; more only wait in the engine instead of the backlog')
    .optional(),
  /** Bytes that they may have together, the largest object not counted. */
  SCAN_MAX_RUNNING_BYTES: z.coerce
    .number('must be a number of bytes')
    .int('must be a whole number of bytes')
    .min(1_048_576, 'must be at least 1048576 bytes')
    .default(64 * 1024 ** 3),
  /** Quota of the spool for formats that need random access; over it the verdict is `incomplete`. */
  SCAN_SPOOL_BYTES: z.coerce
    .number()
    .int()
    .min(1_048_576)
    .default(4 * 1024 ** 3),

  /** smtp:// or smtps://; mails are caught in the embedded mailbox when unset. */
  SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  MAIL_FROM: z.string().default('Sallyport <sallyport@localhost>'),
  /** Path of the private key (PEM; RSA of 2048 bits or more) that signs every mail; unsigned when unset. */
  DKIM_KEY_FILE: z.string().min(1).optional(),
  /** Where the public key stands: SELECTOR._domainkey.DOMAIN. */
  DKIM_SELECTOR: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/, 'must be a selector, as mail2026')
    .optional(),
  /** The domain that signs; that of MAIL_FROM when unset, which is what DMARC asks for. */
  DKIM_DOMAIN: z.string().toLowerCase().regex(DOMAIN, 'must be a domain, as example.com').optional(),
  /** Where replies and bounces come in by SMTP, as 127.0.0.1:2525; nothing comes in when unset. */
  MAIL_IN_LISTEN: z
    .string()
    .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:]+):\d{1,5}$/, 'must be an address and a port, as 127.0.0.1:2525')
    .optional(),
  /** The address whose mail is delivered there, with what stands behind a plus sign in it, as reviews@in.example.com. */
  MAIL_IN_ADDRESS: z
    .string()
    .toLowerCase()
    .regex(
      /^[a-z0-9._-]{1,30}@[a-z0-9.-]{1,200}$/,
      'must be an address without a plus sign, as reviews@in.example.com',
    )
    .optional(),
  /** Whose Authentication-Results header says whether DMARC passed; the signatures are checked here when unset. */
  MAIL_IN_AUTHSERV_ID: z.string().toLowerCase().min(1).max(253).optional(),
  /** What a reply may do: `comment`; `refuse`: also claim, and choose what refuses; `decide`: choose anything. */
  MAIL_REPLIES: z.enum(['comment', 'refuse', 'decide']).default('refuse'),
  /** Reviewers who get a mail for each review, comma list. */
  REVIEW_TO: list,
  /** Review queues whose downloads somebody else must agree to, comma list; `*` for all. */
  DOWNLOAD_FOUR_EYES: list,
  /** Domains of people without an account whom an uploader's question may be mailed to, comma list; none when empty. */
  UPLOADER_MAIL_DOMAINS: list.transform((domains) => domains.map((domain) => domain.toLowerCase())),
  /** Who gets the reports beside the people of REPORT_ROLES, comma list of addresses. */
  REPORT_TO: list,
  /** People of these roles get the reports, comma list; whoever may decide reviews where it names nobody and REPORT_TO is empty. */
  REPORT_ROLES: z
    .string()
    .default('auditor')
    .transform(commaList)
    .pipe(z.array(z.enum(ACCESS_ROLES, `must be a comma list of ${ACCESS_ROLES.join(', ')}`))),
  /** Which periods the clock has reports made of, comma list of weekly, monthly and quarterly. */
  REPORT_KINDS: z
    .string()
    .default('weekly')
    .transform(commaList)
    .pipe(
      z.array(
        z.enum(['weekly', 'monthly', 'quarterly'], 'must be a comma list of weekly, monthly and quarterly'),
      ),
    ),
  /** Bucket on S3_ENDPOINT that keeps a copy of every checkpoint of the audit record; best with object lock. */
  AUDIT_BUCKET: z.string().min(1).optional(),
  /** For how many days a checkpoint in AUDIT_BUCKET is locked, where that has object lock and no longer default; 0 leaves it to the bucket. */
  AUDIT_LOCK_DAYS: z.coerce.number().int().min(0).max(36_500).default(400),
  /** Who can lift that lock: `governance`, whoever has the right to bypass it; `compliance`, nobody. */
  AUDIT_LOCK_MODE: z.enum(['governance', 'compliance']).default('governance'),
  /** Who gets a checkpoint of the audit record a day by mail, comma list; those of REPORT_TO when empty. */
  AUDIT_TO: list,
  /** Who hears of the service's own troubles, comma list. */
  ALERT_TO: list,
  /** Networks on your side that webhooks may be sent to, comma list as `10.2.0.0/16`; public addresses always. */
  WEBHOOK_NETWORKS: list.transform((texts, context) =>
    texts.flatMap((network) => {
      try {
        return [parseNetwork(network)];
      } catch {
        context.addIssue({ code: 'custom', message: `${network} is no network such as 10.2.0.0/16` });
        return [];
      }
    }),
  ),
  /** Each of these can be stored by the API instead (docs/operating.md); what is set here wins. What is missing is in /health. */
  SLACK_BOT_TOKEN: z.string().trim().regex(BOT_TOKEN.form, BOT_TOKEN.wrong).optional(),
  SLACK_APP_TOKEN: z.string().trim().regex(APP_TOKEN.form, APP_TOKEN.wrong).optional(),
  /** By which Slack signs what it posts to us, without Socket Mode; comma list while one replaces another. */
  SLACK_SIGNING_SECRET: list,
  /** Where Slack is; only here, since it gets the tokens. */
  SLACK_API_URL: httpUrl.default('https://slack.com/api/'),
  /** Id of the channel that reviews are posted to whose queue has none of its own. */
  SLACK_CHANNEL: z.string().optional(),
  /** When Slack's channels are told of the day, on working days in ORG_TIME_ZONE, as `09:00`; `off` for never. */
  SLACK_DIGEST_DAILY: z
    .string()
    .default('09:00')
    .transform((text, context) => scheduleIn(text, dailySchedule, 'a time such as 09:00', context)),
  /** The same of the week, as `mon 09:00`. */
  SLACK_DIGEST_WEEKLY: z
    .string()
    .default('mon 09:00')
    .transform((text, context) =>
      scheduleIn(text, weeklySchedule, 'a day and time such as mon 09:00', context),
    ),
  /** What the organisation is called in its reports. */
  ORG_NAME: z.string().max(200).default(''),
  /** IANA time zone of the organisation's weeks. */
  ORG_TIME_ZONE: z.string().default('UTC').refine(isTimeZone, 'is no IANA time zone, as Europe/Berlin is'),
});

/** The settings of this process, checked. */
export type Config = Readonly<
  z.infer<typeof Environment> & {
    /** Whether the embedded endpoint is started. */
    readonly embeddedS3: boolean;
    /** PostgreSQL is ours to start. */
    readonly embeddedDatabase: boolean;
  }
>;

/** Injection token of {@link Config}. */
export const CONFIG = Symbol('CONFIG');

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);

/** Reads and checks the environment. Throws ConfigError with one line per wrong variable. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  // An empty variable means unset, as compose files and CI systems produce them.
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = Environment.safeParse(given);
  if (!parsed.success) {
    throw new ConfigError(
      parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'),
    );
  }
  const config = parsed.data;
  const problems: string[] = [];
  if (config.AUTH === 'off' && !isLoopback(config.HOST)) {
    problems.push(
      `AUTH: off is only for loopback, but HOST is ${config.HOST}. Set AUTH=on or HOST=127.0.0.1.`,
    );
  }
  if (config.DATABASE_URL !== undefined && config.SALLYPORT_KEY === undefined) {
    problems.push(
      'SALLYPORT_KEY: required with DATABASE_URL, because keys in the database are encrypted with it. Take the one that the other processes on this database have; for a new database make one: openssl rand -base64 32',
    );
  }
  if (given['ENGINE'] !== undefined && given['ENGINE'] !== 'sallyport') {
    problems.push(
      `ENGINE: "${given['ENGINE']}" is not available; only the built-in engine is. Remove the variable.`,
    );
  }
  if (config.SECRET_VERIFY === 'on' && config.SECRET_VERIFY_HOSTS.length === 0) {
    problems.push(
      'SECRET_VERIFY_HOSTS: required with SECRET_VERIFY=on: the hosts that found secrets may be sent to, as api.github.com.',
    );
  }
  if (config.DKIM_KEY_FILE !== undefined && config.DKIM_SELECTOR === undefined) {
    problems.push(
      'DKIM_SELECTOR: required with DKIM_KEY_FILE: the name under which the public key stands in DNS, as mail2026.',
    );
  }
  if (config.MAIL_IN_LISTEN !== undefined && config.MAIL_IN_ADDRESS === undefined) {
    problems.push(
      'MAIL_IN_ADDRESS: required with MAIL_IN_LISTEN: the address whose mail comes in there, as reviews@in.example.com.',
    );
  }
  const elsewhere = config.S3_ENDPOINT !== undefined || config.S3_BUCKETS.length > 0;
  const embeddedS3 = config.EMBEDDED_S3 === 'on' || (config.EMBEDDED_S3 === 'auto' && !elsewhere);
  if (!embeddedS3 && config.ACTION_MODE === 'quarantine' && config.QUARANTINE_BUCKET === undefined) {
    problems.push(
      'QUARANTINE_BUCKET: required with ACTION_MODE=quarantine: the bucket that objects are moved to.',
    );
  }
  if (config.QUARANTINE_BUCKET !== undefined && config.S3_BUCKETS.includes(config.QUARANTINE_BUCKET)) {
    problems.push(
      'QUARANTINE_BUCKET: must not be one of S3_BUCKETS, or every move would start another scan.',
    );
  }
  const { PAYLOAD_BUCKET: payloads } = config;
  if (payloads !== undefined && [...config.S3_BUCKETS, config.QUARANTINE_BUCKET].includes(payloads)) {
    problems.push(
      'PAYLOAD_BUCKET: must be a bucket of its own: what is put there would be scanned or kept as quarantined.',
    );
  }
  if (config.AUDIT_BUCKET !== undefined && config.S3_BUCKETS.includes(config.AUDIT_BUCKET)) {
    problems.push('AUDIT_BUCKET: must not be one of S3_BUCKETS: what is put there would be scanned.');
  }
  problems.push(...oidcProblems(config));
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return { ...config, embeddedS3, embeddedDatabase: config.DATABASE_URL === undefined };
}

function oidcProblems(config: z.infer<typeof Environment>): string[] {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_CLIENT_SECRET_FILE } = config;
  if (issuer === undefined) {
    return OIDC_CLIENT_ID === undefined
      ? []
      : ['OIDC_ISSUER: required with OIDC_CLIENT_ID: the address of the identity provider.'];
  }
  const problems: string[] = [];
  const { protocol, hostname, search, hash } = new URL(issuer);
  if (OIDC_CLIENT_ID === undefined)
    problems.push('OIDC_CLIENT_ID: required with OIDC_ISSUER: the id that this service has at the provider.');
  if (OIDC_CLIENT_SECRET !== undefined && OIDC_CLIENT_SECRET_FILE !== undefined)
    problems.push('OIDC_CLIENT_SECRET_FILE: set it or OIDC_CLIENT_SECRET, not both.');
  if (protocol !== 'https:' && !isLoopback(hostname.replace(/^\[|\]$/g, '')))
    problems.push('OIDC_ISSUER: must be https; http is taken on loopback alone, for trying out.');
  if (search !== '' || hash !== '' || issuer.includes('/.well-known/'))
    problems.push('OIDC_ISSUER: must be the issuer itself, without /.well-known/, ? and #.');
  return problems;
}

/** The address that people and links use. */
export function publicUrl(config: Config): string {
  return (config.PUBLIC_URL ?? `http://${publicHost(config)}:${config.PORT}`).replace(/\/$/, '');
}

/** HOST as an address has it: one to call, in brackets where it needs them. */
export function publicHost(config: Pick<Config, 'HOST'>): string {
  const host = config.HOST === '0.0.0.0' || config.HOST === '::' ? '127.0.0.1' : config.HOST;
  return host.includes(':') ? `[${host}]` : host;
}
