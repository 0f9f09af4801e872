import { describe, expect, test } from 'vitest';
import { compileRules } from '../../../../../src/tasks/scan/secrets/engine/compile.js';
import { builtIn, ruleIds, scan } from '../support/scan.js';
import { alphabets as a, checkedToken, privateKey, randomText as r } from '../support/tokens.js';

const uuid = [8, 4, 4, 4, 12].map((length, i) => r(a.hex, length, i + 3)).join('-');

/** A sample of each format, in parts, so that nothing in this file looks like a token. */
const samples: Readonly<Record<string, readonly string[]>> = {
  'aws-access-token': ['AK', 'IA', r(a.base32, 16)],
  'aws-secret-access-key': ['aws_secret_', 'access_key = ', r(a.base64, 40)],
  'gcp-api-key': ['AI', 'za', r(a.word, 34), 'x'],
  'google-oauth-client-secret': ['GOC', 'SPX-', r(a.word, 27), 'x'],
  'google-oauth-access-token': ['ya', '29.', r(a.word, 120)],
  'gcp-service-account-key': ['{"private', '_key": "', privateKey('', 1600).replaceAll('\n', '\\n'), '"}'],
  'azure-storage-account-key': ['Account', 'Key=', r(a.base64, 86), '=='],
  'azure-ad-client-secret': [r(a.alnum, 3), '8', 'Q~', r(a.word, 33), 'x'],
  'azure-sas-token': ['https://x.blob.core.windows.net/c?sv=2022-11-02&', 'sig=', r(a.alnum, 43), '%3D'],
  'azure-shared-access-key': ['Shared', 'AccessKey=', r(a.base64, 43), '='],
  'azure-devops-pat': [r(a.alnum, 76), 'AZ', 'DO', r(a.alnum, 4)],
  'alibaba-access-key-id': ['LT', 'AI', r(a.alnum, 20)],
  'digitalocean-pat': ['dop', '_v1_', r(a.hex, 64)],
  'heroku-api-key-v2': ['HRKU', '-AA', r(a.word, 57), 'x'],
  'cloudflare-api-key': ['CLOUDFLARE_API_', 'TOKEN=', r(a.word, 39), 'x'],
  'fastly-api-token': ['fastly_key: ', r(a.word, 31), 'x'],
  'flyio-access-token': ['fo', '1_', r(a.word, 43)],
  'netlify-token': ['nf', 'p_', r(a.alnum, 36)],
  'tailscale-key': ['tskey', '-auth-', r(a.alnum, 12), '-', r(a.alnum, 32)],
  'planetscale-password': ['pscale', '_pw_', r(a.word, 43)],
  'supabase-key': ['sb', 'p_', r(a.hex, 40)],
  'github-pat': [checkedToken(['gh', 'p_'].join(''))],
  'github-oauth': [checkedToken(['gh', 'o_'].join(''))],
  'github-app-token': [checkedToken(['gh', 's_'].join(''))],
  'github-refresh-token': [checkedToken(['gh', 'r_'].join(''))],
  'github-fine-grained-pat': ['github', '_pat_', r(a.alnum, 22), '_', r(a.alnum, 59)],
  'gitlab-pat': ['gl', 'pat-', r(a.alnum, 20)],
  'gitlab-runner-authentication-token': ['gl', 'rt-', r(a.alnum, 20)],
  'gitlab-ptt': ['gl', 'ptt-', r(a.hex, 40)],
  'npm-access-token': [checkedToken(['np', 'm_'].join(''))],
  'pypi-upload-token': ['py', 'pi-', 'AgE', r(a.word, 150)],
  'rubygems-api-token': ['ruby', 'gems_', r(a.hex, 48)],
  'nuget-api-key': ['oy', '2', r(a.lowerAlnum, 43)],
  'docker-hub-token': ['dckr', '_pat_', r(a.alnum, 27)],
  'circleci-token': ['CCI', 'PAT_', r(a.alnum, 22), '_', r(a.hex, 40)],
  'sonar-token': ['sq', 'p_', r(a.hex, 40)],
  'snyk-api-token': ['SNYK_', 'TOKEN=', uuid],
  'slack-bot-token': ['xo', 'xb-', r(a.digits, 12), '-', r(a.digits, 13), '-', r(a.alnum, 24)],
  'slack-user-token': ['xo', 'xp-', `${r(a.digits, 12)}-`.repeat(3), r(a.hex, 32)],
  'slack-app-token': ['xa', 'pp-1-', r(a.upperAlnum, 11), '-', r(a.digits, 13), '-', r(a.hex, 64)],
  'slack-webhook-url': [
    'https://hooks.',
    'slack.com/services/',
    'T',
    r(a.upperAlnum, 10),
    '/B',
    r(a.upperAlnum, 10),
    '/',
    r(a.alnum, 24),
  ],
  'discord-bot-token': ['DISCORD_', 'TOKEN=M', r(a.alnum, 23), '.', r(a.alnum, 6), '.', r(a.alnum, 38)],
  'discord-webhook-url': ['https://discord', '.com/api/webhooks/', r(a.digits, 18), '/', r(a.word, 68)],
  'telegram-bot-token': [r('123456789', 10), ':A', 'A', r(a.word, 32), 'x'],
  'twilio-api-key': ['S', 'K', r(a.hex, 32)],
  'twilio-auth-token': ['twilio_auth', '_token = ', r(a.hex, 32)],
  'sendgrid-api-token': ['S', 'G.', r(a.word, 22), '.', r(a.word, 42), 'x'],
  'mailgun-private-api-token': ['ke', 'y-', r(a.hex, 32)],
  'mailchimp-api-key': [r(a.hex, 32), '-u', 's12'],
  'sendinblue-api-token': ['xkey', 'sib-', r(a.hex, 64), '-', r(a.alnum, 16)],
  'stripe-live-key': ['sk', '_live_', r(a.alnum, 24)],
  'stripe-test-key': ['rk', '_test_', r(a.alnum, 24)],
  'square-access-token': ['EA', 'AA', r(a.word, 59), 'x'],
  'braintree-access-token': ['access', '_token$production$', r(a.lowerAlnum, 16), '$', r(a.hex, 32)],
  'shopify-access-token': ['shp', 'at_', r(a.hex, 32)],
  'plaid-api-token': ['access', '-sandbox-', uuid],
  'openai-api-key': ['sk', '-proj-', r(a.word, 60), 'T3Blbk', 'FJ', r(a.word, 59), 'x'],
  'anthropic-api-key': ['sk-', 'ant-api03-', r(a.word, 93), 'AA'],
  'huggingface-access-token': ['h', 'f_', r(a.letters, 34)],
  'cohere-api-token': ['CO_API', '_KEY=', r(a.alnum, 40)],
  'perplexity-api-key': ['pp', 'lx-', r(a.alnum, 48)],
  'groq-api-key': ['gs', 'k_', r(a.alnum, 52)],
  'databricks-api-token': ['da', 'pi', r(a.hex, 32)],
  'datadog-access-token': ['DD_API', '_KEY=', r(a.hex, 32)],
  'new-relic-user-api-key': ['NR', 'AK-', r(a.upperAlnum, 27)],
  'grafana-service-account-token': ['gl', 'sa_', r(a.alnum, 32), '_', r(a.hex, 8)],
  'sentry-user-token': ['sntr', 'yu_', r(a.hex, 64)],
  'pagerduty-key': ['pagerduty_', 'token: ', r(a.alnum, 19), '7'],
  'dynatrace-api-token': ['dt0', 'c01.', r(a.base32, 24), '.', r(a.base32, 64)],
  'atlassian-cloud-api-token': ['ATA', 'TT3', r(a.word, 186)],
  'linear-api-key': ['lin', '_api_', r(a.alnum, 40)],
  'notion-api-token': ['nt', 'n_', r(a.digits, 11), r(a.alnum, 35)],
  'airtable-personnal-access-token': ['pa', 't', r(a.alnum, 14), '.', r(a.hex, 64)],
  'asana-pat': ['1', '/', r(a.digits, 16), ':', r(a.hex, 32)],
  'dropbox-short-lived-api-token': ['s', 'l.', r(a.word, 140)],
  'postman-api-token': ['PM', 'AK-', r(a.hex, 24), '-', r(a.hex, 34)],
  'figma-token': ['fi', 'gd_', r(a.word, 42), 'x'],
  'okta-access-token': ['okta_', 'token=', '00', r(a.word, 39), 'x'],
  'facebook-page-access-token': ['EA', 'AC', r(a.alnum, 150)],
  'facebook-secret': ['facebook_', 'secret=', r(a.hex, 32)],
  'twitter-bearer-token': ['A'.repeat(22), r(a.alnum, 90)],
  'linkedin-app-secret': ['WPL_', 'AP1.', r(a.alnum, 16), '.', r(a.alnum, 8)],
  'vault-service-token': ['hv', 's.', r(a.word, 94), 'x'],
  'hashicorp-tf-api-token': [r(a.alnum, 14), '.atlas', 'v1.', r(a.alnum, 67)],
  'pulumi-api-token': ['pu', 'l-', r(a.hex, 40)],
  'doppler-api-token': ['dp', '.pt.', r(a.alnum, 43)],
  '1password-service-account-token': ['ops', '_eyJ', r(a.base64, 400)],
  'age-secret-key': ['AGE-', 'SECRET-KEY-1', r('QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L', 58)],
  jwt: ['ey', 'J', r(a.word, 40), '.ey', 'J', r(a.word, 120), '.', r(a.word, 43)],
  'database-url-password': ['mongodb+srv://', 'svc:', r(a.alnum, 14), '@cluster0.example.net/app'],
  'basic-auth-url': ['https://', 'deploy:', r(a.alnum, 14), '@git.internal/x.git'],
  'authorization-header': ['Authorization: ', 'Basic ', r(a.base64, 30), '=='],
  'netrc-password': ['machine api.internal login ', 'me password ', r(a.alnum, 12)],
  'generic-api-key': ['client_', 'secret = "', r(a.alnum, 30), '"'],
};

describe('the built-in rules', () => {
  test.each(Object.entries(samples))('%s finds its format, alone and inside a line', async (id, parts) => {
    const secret = parts.join('');
    expect(ruleIds(await scan(secret))).toContain(id);
    expect(ruleIds(await scan(`{"value": "${secret.replaceAll('"', "'")}", "n": 1}`)).length).toBeGreaterThan(
      0,
    );
  });

  test.each(['RSA ', 'EC ', 'OPENSSH ', 'ENCRYPTED ', ''])(
    'private-key finds a "%s" key block',
    async (kind) => {
      expect(ruleIds(await scan(`\n${privateKey(kind)}\n`))).toEqual(['private-key']);
    },
  );

  test('private-key finds an armoured PGP key and the longest RSA key in use', async () => {
    const pgp = privateKey('PGP ', 3_000).replaceAll('KEY-----', 'KEY BLOCK-----');
    expect(ruleIds(await scan(pgp))).toEqual(['private-key']);
    expect(ruleIds(await scan(privateKey('RSA ', 12_500)))).toEqual(['private-key']);
  });

  test('a public key or certificate is no finding', async () => {
    for (const label of ['PUBLIC KEY', 'CERTIFICATE'])
      expect(ruleIds(await scan(privateKey().replaceAll(/RSA PRIV\w+ KEY/g, label)))).toEqual([]);
  });

  test('a key store is found by its name', async () => {
    expect(ruleIds(await scan(Buffer.from([0x30, 0x82]), 'certs/server.PFX'))).toEqual(['pkcs12-file']);
  });

  test.each([
    'const token = process.env.GITHUB_TOKEN;',
    'password: ${DB_PASSWORD}',
    'url = "postgres://user:password@localhost/db"',
    'https://user:${TOKEN}@github.com/x',
    'Authorization: Bearer <your token here>',
    'secretKeyRef: { name: app-secrets, key: password-of-the-app }',
    'import { tokenizeExpression } from "./tokenize-expression.js";',
    'api_key_header = "X-Api-Key-Header-Name"',
    `integrity: sha512-${'z'.repeat(10)}`,
    `commit ${r(a.hex, 40)}`,
    `id: ${uuid}`,
  ])('ordinary text is no finding: %s', async (text) => {
    expect(ruleIds(await scan(text))).toEqual([]);
  });

  test('there are rules for at least 100 providers, each with a remedy and a severity', () => {
    expect(new Set(builtIn.rules.map(({ provider }) => provider)).size).toBeGreaterThanOrEqual(100);
    for (const rule of builtIn.rules) expect(rule.remediation).toMatch(/^https:\/\//);
  });

  test('every one is tried only where a literal of it stands, which is what makes them fast', () => {
    const searched = compileRules(builtIn).all.filter(({ strategy }) => strategy === 'block');
    expect(searched.map(({ rule }) => rule.id)).toEqual([]);
  });
});
