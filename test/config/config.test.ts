import { describe, expect, it } from 'vitest';
import { publicUrl, readConfig } from '../../src/config.js';

const key = Buffer.alloc(32, 7).toString('base64');

describe('the configuration', () => {
  it('works with nothing set: everything embedded, on loopback, with a login', () => {
    const config = readConfig({});
    expect(config).toMatchObject({
      HOST: '127.0.0.1',
      PORT: 8080,
      S3_PORT: 9000,
      AUTH: 'on',
      embeddedS3: true,
      embeddedDatabase: true,
    });
    expect(publicUrl(config)).toBe('http://127.0.0.1:8080');
  });

  it('takes an empty variable for an unset one', () => {
    expect(readConfig({ DATABASE_URL: '', PORT: '' })).toMatchObject({ embeddedDatabase: true, PORT: 8080 });
  });

  it.each([
    [{ PORT: 'eighty' }, /^PORT: /m],
    [{ AUTH: 'off', HOST: '0.0.0.0' }, /^AUTH: off is only for loopback/m],
    [{ DATABASE_URL: 'postgres://db/sallyport' }, /^SALLYPORT_KEY: required with DATABASE_URL/m],
    [{ SALLYPORT_KEY: 'short' }, /^SALLYPORT_KEY: must be 32 bytes/m],
    [{ ENGINE: 'conductor' }, /^ENGINE: "conductor" is not available/m],
    [{ ROLES: 'api,cook' }, /^ROLES/m],
    [{ SLACK_BOT_TOKEN: 'bad' }, /^SLACK_BOT_TOKEN: must begin with xoxb-.*OAuth & Permissions/m],
    [{ SLACK_APP_TOKEN: `xoxb-${'a'.repeat(12)}` }, /^SLACK_APP_TOKEN: must begin with xapp-/m],
    [{ SECRET_VERIFY: 'on' }, /^SECRET_VERIFY_HOSTS: required/m],
    [{ SECRET_VERIFY_HOSTS: 'https://api.github.com/' }, /SECRET_VERIFY_HOSTS.*comma list of hosts/],
    [{ S3_BUCKETS: 'a,b', ACTION_MODE: 'quarantine' }, /^QUARANTINE_BUCKET: required/m],
    [{ S3_BUCKETS: 'a,b', QUARANTINE_BUCKET: 'b' }, /^QUARANTINE_BUCKET: must not be one of S3_BUCKETS/m],
  ])('names the variable and the remedy: %o', (environment, message) => {
    expect(() => readConfig(environment as Record<string, string>)).toThrow(message);
  });

  it('starts with a part of the Slack settings: the rest may be stored, and /health says what is missing', () => {
    const token = `xoxb-${'a'.repeat(12)}`;
    expect(readConfig({ SLACK_BOT_TOKEN: token })).toMatchObject({
      SLACK_BOT_TOKEN: token,
      SLACK_SIGNING_SECRET: [],
    });
  });

  it('starts no embedded endpoint when buckets elsewhere are named', () => {
    expect(
      readConfig({ S3_BUCKETS: 'a, b', DATABASE_URL: 'postgres://db/x', SALLYPORT_KEY: key }),
    ).toMatchObject({ embeddedS3: false, S3_BUCKETS: ['a', 'b'] });
  });
});
