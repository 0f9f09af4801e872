import { alphabets as a, checkedToken, randomText } from '../support/tokens.js';

/** A kind of secret as its provider documents it. Written without looking at the rules. */
export interface Format {
  readonly provider: string;
  /** The name of the variable or setting that people keep it under. */
  readonly name: string;
  readonly make: (seed: number) => string;
}

/** `{alphabet: length}` pieces and fixed text, put together at run time. */
const of =
  (...pieces: readonly (string | readonly [string, number])[]) =>
  (seed: number): string =>
    pieces
      .map((piece, i) =>
        typeof piece === 'string' ? piece : randomText(piece[0], piece[1], seed * 977 + i * 131 + 7),
      )
      .join('');

const uuid = [[a.hex, 8], '-', [a.hex, 4], '-4', [a.hex, 3], '-a', [a.hex, 3], '-', [a.hex, 12]] as const;

const format = (provider: string, name: string, make: (seed: number) => string): Format => ({
  provider,
  name,
  make,
});

export const formats: readonly Format[] = [
  format('AWS', 'AWS_ACCESS_KEY_ID', of('AK', 'IA', [a.base32, 16])),
  format('AWS', 'AWS_SECRET_ACCESS_KEY', of([a.base64, 39], 'q')),
  format('GitHub', 'GITHUB_TOKEN', (seed) => checkedToken(['gh', 'p_'].join(''), seed)),
  format('GitHub', 'GH_TOKEN', (seed) => checkedToken(['gh', 's_'].join(''), seed)),
  format('GitHub', 'GH_PAT', of('github', '_pat_11', [a.upperAlnum, 20], '_', [a.alnum, 59])),
  format('GitLab', 'GITLAB_TOKEN', of('gl', 'pat-', [a.alnum, 20])),
  format('GitLab', 'CI_DEPLOY_PASSWORD', of('gl', 'dt-', [a.alnum, 20])),
  format('GitLab', 'RUNNER_TOKEN', of('gl', 'rt-', [a.alnum, 20])),
  format('npm', 'NPM_TOKEN', (seed) => checkedToken(['np', 'm_'].join(''), seed)),
  format('PyPI', 'TWINE_PASSWORD', of('py', 'pi-AgEIcHlwaS5vcmc', [a.alnum, 140])),
  format('RubyGems', 'GEM_HOST_API_KEY', of('ruby', 'gems_', [a.hex, 48])),
  format('Docker', 'DOCKER_PASSWORD', of('dckr', '_pat_', [a.alnum, 27])),
  format(
    'Slack',
    'SLACK_BOT_TOKEN',
    of('xo', 'xb-', [a.digits, 12], '-', [a.digits, 12], '-', [a.alnum, 24]),
  ),
  format(
    'Slack',
    'SLACK_USER_TOKEN',
    of('xo', 'xp-', [a.digits, 12], '-', [a.digits, 12], '-', [a.digits, 12], '-', [a.hex, 32]),
  ),
  format(
    'Slack',
    'SLACK_APP_TOKEN',
    of('xa', 'pp-1-A', [a.upperAlnum, 10], '-', [a.digits, 13], '-', [a.hex, 64]),
  ),
  format(
    'Slack',
    'SLACK_WEBHOOK',
    of('https://hooks.', 'slack.com/services/T', [a.upperAlnum, 10], '/B', [a.upperAlnum, 10], '/', [
      a.alnum,
      24,
    ]),
  ),
  format(
    'Discord',
    'DISCORD_WEBHOOK',
    of('https://discord', '.com/api/webhooks/', [a.digits, 19], '/', [a.alnum, 68]),
  ),
  format('Telegram', 'TELEGRAM_BOT_TOKEN', of('7', [a.digits, 9], ':A', 'AH', [a.alnum, 32])),
  format('Twilio', 'TWILIO_API_KEY', of('S', 'K', [a.hex, 32])),
  format('Twilio', 'TWILIO_AUTH_TOKEN', of([a.hex, 32])),
  format('SendGrid', 'SENDGRID_API_KEY', of('S', 'G.', [a.alnum, 22], '.', [a.alnum, 43])),
  format('Mailgun', 'MAILGUN_API_KEY', of('ke', 'y-', [a.hex, 32])),
  format('Mailchimp', 'MAILCHIMP_API_KEY', of([a.hex, 32], '-us', '14')),
  format('Brevo', 'BREVO_API_KEY', of('xkey', 'sib-', [a.hex, 64], '-', [a.alnum, 16])),
  format('Stripe', 'STRIPE_SECRET_KEY', of('sk', '_live_51', [a.alnum, 97])),
  format('Stripe', 'STRIPE_RESTRICTED_KEY', of('rk', '_live_', [a.alnum, 24])),
  format('Stripe', 'STRIPE_WEBHOOK_SECRET', of('wh', 'sec_', [a.alnum, 32])),
  format('Square', 'SQUARE_ACCESS_TOKEN', of('EA', 'AAE', [a.alnum, 59])),
  format('Shopify', 'SHOPIFY_ADMIN_TOKEN', of('shp', 'at_', [a.hex, 32])),
  format('Shopify', 'SHOPIFY_API_SECRET', of('shp', 'ss_', [a.hex, 32])),
  format('Plaid', 'PLAID_ACCESS_TOKEN', of('access', '-production-', ...uuid)),
  format('Google', 'GOOGLE_API_KEY', of('AI', 'zaSy', [a.alnum, 33])),
  format('Google', 'GOOGLE_CLIENT_SECRET', of('GOC', 'SPX-', [a.alnum, 28])),
  format('Azure', 'AZURE_CLIENT_SECRET', of([a.alnum, 3], '8', 'Q~', [a.alnum, 34])),
  format(
    'Azure',
    'AZURE_STORAGE_CONNECTION_STRING',
    of(
      'DefaultEndpointsProtocol=https;AccountName=media;Account',
      'Key=',
      [a.base64, 85],
      'A=',
      '=;EndpointSuffix=core.windows.net',
    ),
  ),
  format('DigitalOcean', 'DIGITALOCEAN_TOKEN', of('dop', '_v1_', [a.hex, 64])),
  format('Heroku', 'HEROKU_API_KEY', of('HRKU', '-AA', [a.alnum, 58])),
  format('Netlify', 'NETLIFY_AUTH_TOKEN', of('nf', 'p_', [a.alnum, 36])),
  format('Fly.io', 'FLY_API_TOKEN', of('fo', '1_', [a.alnum, 43])),
  format('Tailscale', 'TS_AUTHKEY', of('tskey', '-auth-k', [a.alnum, 11], 'CNTRL-', [a.alnum, 32])),
  format('PlanetScale', 'DATABASE_PASSWORD', of('pscale', '_pw_', [a.alnum, 43])),
  format('Supabase', 'SUPABASE_ACCESS_TOKEN', of('sb', 'p_', [a.hex, 40])),
  format('OpenAI', 'OPENAI_API_KEY', of('sk', '-proj-', [a.alnum, 74], 'T3Blbk', 'FJ', [a.alnum, 74])),
  format('Anthropic', 'ANTHROPIC_API_KEY', of('sk-', 'ant-api03-', [a.alnum, 93], 'AA')),
  format('Hugging Face', 'HF_TOKEN', of('h', 'f_', [a.letters, 34])),
  format('Groq', 'GROQ_API_KEY', of('gs', 'k_', [a.alnum, 52])),
  format('Replicate', 'REPLICATE_API_TOKEN', of('r', '8_', [a.alnum, 37])),
  format('Perplexity', 'PERPLEXITY_API_KEY', of('pp', 'lx-', [a.alnum, 48])),
  format('Databricks', 'DATABRICKS_TOKEN', of('da', 'pi', [a.hex, 32])),
  format('HashiCorp', 'VAULT_TOKEN', of('hv', 's.', [a.alnum, 95])),
  format('HashiCorp', 'TFE_TOKEN', of([a.alnum, 14], '.atlas', 'v1.', [a.alnum, 67])),
  format('Pulumi', 'PULUMI_ACCESS_TOKEN', of('pu', 'l-', [a.hex, 40])),
  format('Doppler', 'DOPPLER_TOKEN', of('dp', '.pt.', [a.alnum, 43])),
  format('Datadog', 'DD_API_KEY', of([a.hex, 32])),
  format('New Relic', 'NEW_RELIC_API_KEY', of('NR', 'AK-', [a.upperAlnum, 27])),
  format('Grafana', 'GRAFANA_TOKEN', of('gl', 'sa_', [a.alnum, 32], '_', [a.hex, 8])),
  format('Sentry', 'SENTRY_AUTH_TOKEN', of('sntr', 'yu_', [a.hex, 64])),
  format('Dynatrace', 'DT_API_TOKEN', of('dt0', 'c01.', [a.base32, 24], '.', [a.base32, 64])),
  format('Atlassian', 'JIRA_API_TOKEN', of('ATA', 'TT3xFfGF0', [a.alnum, 182], '=', [a.upperAlnum, 0])),
  format('Notion', 'NOTION_TOKEN', of('nt', 'n_', [a.digits, 11], [a.alnum, 35])),
  format('Linear', 'LINEAR_API_KEY', of('lin', '_api_', [a.alnum, 40])),
  format('Figma', 'FIGMA_TOKEN', of('fi', 'gd_', [a.alnum, 40])),
  format('Airtable', 'AIRTABLE_PAT', of('pa', 't', [a.alnum, 14], '.', [a.hex, 64])),
  format('Postman', 'POSTMAN_API_KEY', of('PM', 'AK-', [a.hex, 24], '-', [a.hex, 34])),
  format('HubSpot', 'HUBSPOT_TOKEN', of('pa', 't-na1-', ...uuid)),
  format('Okta', 'OKTA_API_TOKEN', of('00', [a.alnum, 40])),
  format('Snyk', 'SNYK_TOKEN', of(...uuid)),
  format('Cloudflare', 'CLOUDFLARE_API_TOKEN', of([a.alnum, 40])),
  format('Database', 'DATABASE_URL', of('postgres://app:', [a.alnum, 20], '@db.internal:5432/app')),
];
