import { pino } from 'pino';
import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import { Forbidden, InvalidInput, Unavailable } from '../../src/errors.js';
import { FetchedCertificates, SnsCertificates } from '../../src/intake/sns/sns-certificates.js';
import { SnsController } from '../../src/intake/sns/sns.controller.js';
import { SnsService } from '../../src/intake/sns/sns.service.js';
import type { Egress, EgressRequest } from '../../src/outbound/egress/egress.js';
import { hasOpenssl } from '../support/certificates.js';
import { CERTIFICATE_URL, makeSigner, snsMessage, TOPIC, type Signer } from '../support/sns-signer.js';
import { StillClock } from '../verdicts/still-clock.js';
import { headOf, httpApp } from './http-app.js';
import { awsMessage, intakeParts } from './intake-parts.js';

const parts = await intakeParts();
const { test, intake, database } = parts;
const HOUR = 3_600_000;

/** What SNS's host would serve, and who asked for it. */
class Served extends SnsCertificates {
  pem = '';
  readonly asked: string[] = [];
  async fetch(url: string): Promise<string> {
    this.asked.push(url);
    return this.pem;
  }
}

const served = new Served();
const called: EgressRequest[] = [];
let answer = 200;
const egress = {
  fetch: async (request: EgressRequest) => {
    called.push(request);
    return { status: answer, headers: {}, body: Buffer.from('<ok/>'), url: request.url };
  },
} as Egress;
let clock: StillClock;
let lines: { msg: string; reason?: string }[] = [];

function serviceOf(environment: Record<string, string> = {}): SnsService {
  const config = readConfig({ SNS_TOPIC_ARNS: TOPIC, ...environment });
  const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });
  return new SnsService(intake, database, clock, served, egress, config, new Registry(), log);
}

describe.skipIf(!hasOpenssl())('what is posted as SNS’s', () => {
  const signer = hasOpenssl() ? makeSigner('sns.us-east-1.amazonaws.com') : ({} as Signer);
  const upload = JSON.stringify(awsMessage({ key: 'k', versionId: 'v' }));
  const message = (more: Record<string, string> = {}, by: Signer = signer) =>
    snsMessage(by, clock.now(), { Message: upload, ...more });
  const count = async (table: string) =>
    (await test.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`))[0]?.n;

  beforeEach(async () => {
    await test.truncate();
    // After what openssl makes during the test.
    clock = new StillClock(Date.now() + 60_000);
    served.pem = signer.pem;
    served.asked.length = 0;
    called.length = 0;
    answer = 200;
    lines = [];
  });

  it.each(['1', '2'])('is taken when its signature of version %s fits', async (SignatureVersion) => {
    const taken = await serviceOf().take(message({ SignatureVersion, Subject: 'Amazon S3 Notification' }));
    expect(taken).toMatchObject({ accepted: 1 });
    expect(await test.query('SELECT key, source_kind FROM intake_event')).toEqual([
      { key: 'k', source_kind: 'aws' },
    ]);
    expect(served.asked).toEqual([CERTIFICATE_URL]);
  });

  it('is taken with a certificate for SNS’s name without a region, and with one that comes alone', async () => {
    const national = makeSigner('sns.amazonaws.com');
    served.pem = national.leaf;
    expect(await serviceOf().take(message({}, national))).toMatchObject({ accepted: 1 });
  });

  it('comes as text/plain, without a login', async () => {
    const { server } = await httpApp(
      parts,
      { head: async () => headOf() },
      {
        controllers: [SnsController],
        providers: [{ provide: SnsService, useValue: serviceOf() }],
      },
    );
    const post = (payload: string) =>
      server.inject({
        method: 'POST',
        url: '/events/sns',
        headers: { 'content-type': 'text/plain; charset=UTF-8', 'x-amz-sns-message-type': 'Notification' },
        payload,
      });
    const good = await post(JSON.stringify(message()));
    expect([good.statusCode, good.json()]).toMatchObject([200, { accepted: 1 }]);
    const forged = await post(JSON.stringify({ ...message(), Message: '{}' }));
    expect([forged.statusCode, forged.json()]).toMatchObject([403, { code: 'FORBIDDEN' }]);
    const raw = await post(upload);
    expect([raw.statusCode, raw.json()]).toMatchObject([400, { code: 'INVALID_INPUT' }]);
    expect(raw.json().detail ?? raw.json().message).toMatch('raw message delivery');
    const noJson = await post('hello');
    expect(noJson.statusCode).toBe(400);
    expect(await count('intake_reject')).toBe(0);
  });

  it('again is answered the same and changes nothing', async () => {
    const once = message();
    const service = serviceOf();
    await service.take(once);
    expect(await service.take(once)).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await count('intake_event')).toBe(1);
  });

  it('and signed, but not understood, is kept as a reject and not asked for again', async () => {
    expect(await serviceOf().take(message({ Message: 'hello' }))).toMatchObject({ rejected: 1 });
    expect(await test.query('SELECT source_kind, reason FROM intake_reject')).toEqual([
      { source_kind: 'sns', reason: 'unknown_shape' },
    ]);
  });

  const forgeries: readonly [string, (good: Record<string, string>) => object][] = [
    ['whose message was changed', (good) => ({ ...good, Message: '{}' })],
    ['that was given a subject', (good) => ({ ...good, Subject: 'x' })],
    ['whose id was changed', (good) => ({ ...good, MessageId: 'other' })],
    ['whose time was changed', (good) => ({ ...good, Timestamp: new Date(clock.now() + 1).toISOString() })],
    ['whose signature is of another version', (good) => ({ ...good, SignatureVersion: '1' })],
    ['whose signature is none', (good) => ({ ...good, Signature: 'AAAA' })],
    [
      'that is another type now',
      (good) => ({ ...good, Type: 'UnsubscribeConfirmation', Token: 't', SubscribeURL: 'u' }),
    ],
  ];
  it.each(forgeries)('%s is refused', async (_, forge) => {
    await expect(serviceOf().take(forge(message()))).rejects.toThrow(Forbidden);
    expect([await count('intake_event'), await count('sns_message'), called.length]).toEqual([0, 0, 0]);
  });

  it('of a topic that is not listed is refused before anything is asked, and of every topic when none is', async () => {
    const other = message({ TopicArn: 'arn:aws:sns:us-east-1:999999999999:uploads' });
    await expect(serviceOf().take(other)).rejects.toThrow('SNS_TOPIC_ARNS');
    await expect(serviceOf({ SNS_TOPIC_ARNS: '' }).take(message())).rejects.toThrow('SNS_TOPIC_ARNS');
    expect(served.asked).toEqual([]);
  });

  it.each([
    'http://sns.us-east-1.amazonaws.com/x.pem',
    'https://sns.us-east-1.amazonaws.com.evil.example/x.pem',
    'https://evil.example/sns.us-east-1.amazonaws.com/x.pem',
    'https://sns.us-east-1.amazonaws.com@evil.example/x.pem',
    'https://user@sns.us-east-1.amazonaws.com/x.pem',
    'https://sns.us-east-1.amazonaws.com:8443/x.pem',
    'https://sns.eu-west-1.amazonaws.com/x.pem',
    'https://sns.us-east-1.amazonaws.com.cn/x.pem',
    'https://sns.us-east-1.amazonaws.com/x.pem?redirect=https://evil.example',
    'https://sns.us-east-1.amazonaws.com/a/../b/x.pem',
    'https://sns.us-east-1.amazonaws.com/x.crt',
    'https://bucket.s3.amazonaws.com/x.pem',
    'https://169.254.169.254/x.pem',
    'file:///etc/passwd.pem',
    'nonsense',
  ])('with the certificate at %s is refused, and nothing is fetched there', async (SigningCertURL) => {
    await expect(serviceOf().take(message({ SigningCertURL }))).rejects.toThrow('SigningCertURL');
    expect(served.asked).toEqual([]);
  });

  it.each([
    ['older than an hour that SNS tries', -66 / 60],
    ['of the future', 0.2],
  ])('%s is refused', async (_, hours) => {
    const Timestamp = new Date(clock.now() + hours * HOUR).toISOString();
    await expect(serviceOf().take(message({ Timestamp }))).rejects.toThrow('Timestamp');
  });

  it('is taken as long as SNS tries to deliver it', async () => {
    const Timestamp = new Date(clock.now() - 59 * 60_000).toISOString();
    expect(await serviceOf().take(message({ Timestamp }))).toMatchObject({ accepted: 1 });
  });

  it('and signed with SHA-1 is refused where version 2 is required', async () => {
    const strict = serviceOf({ SNS_REQUIRE_V2: 'true' });
    await expect(strict.take(message({ SignatureVersion: '1' }))).rejects.toThrow('SignatureVersion to 2');
    expect(await strict.take(message())).toMatchObject({ accepted: 1 });
  });

  const certificates: readonly [string, () => Signer][] = [
    ['of another host', () => makeSigner('evil.example')],
    ['of SNS in another region', () => makeSigner('sns.eu-west-1.amazonaws.com')],
    ['with a weak key', () => makeSigner('sns.us-east-1.amazonaws.com', ['-newkey', 'rsa:1024'])],
    [
      'that comes with a CA that did not sign it',
      () => {
        const mine = makeSigner('sns.us-east-1.amazonaws.com');
        const strange = signer.pem.slice(signer.leaf.length);
        return { ...mine, pem: mine.leaf + strange };
      },
    ],
    [
      'that is none',
      () => ({ ...signer, pem: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }),
    ],
    ['that is an empty page', () => ({ ...signer, pem: '' })],
  ];
  it.each(certificates)('with a certificate %s is refused', async (_, make) => {
    const other = make();
    served.pem = other.pem;
    await expect(serviceOf().take(message({}, other))).rejects.toThrow('certificate');
    expect(await count('intake_event')).toBe(0);
  });

  it('with a certificate that ran out, or is not valid yet, is refused', async () => {
    for (const days of [5, -7]) {
      clock.advance(days * 24 * HOUR);
      await expect(serviceOf().take(message())).rejects.toThrow('certificate');
    }
  });

  it('and refused is said once a minute, however often it comes', async () => {
    const service = serviceOf();
    const refuse = () => expect(service.take({ ...message(), Message: '{}' })).rejects.toThrow(Forbidden);
    for (let n = 0; n < 5; n += 1) await refuse();
    expect(lines.filter(({ reason }) => reason === 'signature')).toHaveLength(1);
    clock.advance(60_000);
    await refuse();
    expect(lines.filter(({ reason }) => reason === 'signature')).toHaveLength(2);
  });

  describe('to confirm a subscription', () => {
    const wish = (more: Record<string, string> = {}) =>
      message({ Type: 'SubscriptionConfirmation', ...more });

    it('is answered at SNS itself, once, and told in the audit', async () => {
      const service = serviceOf();
      const once = wish();
      await service.take(once);
      await service.take(once);
      expect(called).toMatchObject([{ url: once['SubscribeURL'], maxRedirects: 0 }]);
      expect(await test.query('SELECT actor, action, subject FROM audit_event')).toEqual([
        { actor: 'system:sns', action: 'sns.subscribed', subject: `topic:${TOPIC}` },
      ]);
    });

    it.each([
      'https://evil.example/?Action=ConfirmSubscription',
      'http://169.254.169.254/latest/meta-data/',
      `https://sns.us-east-1.amazonaws.com:444/?Action=ConfirmSubscription&TopicArn=${TOPIC}`,
      `https://sns.us-east-1.amazonaws.com/?Action=DeleteTopic&TopicArn=${TOPIC}`,
      'https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=other',
    ])('at %s is refused, though it be signed, and nothing is called', async (SubscribeURL) => {
      await expect(serviceOf().take(wish({ SubscribeURL }))).rejects.toThrow(InvalidInput);
      expect([called.length, await count('sns_message')]).toEqual([0, 0]);
    });

    it('of a topic that is not listed calls nothing', async () => {
      const TopicArn = 'arn:aws:sns:us-east-1:999999999999:uploads';
      await expect(serviceOf().take(wish({ TopicArn }))).rejects.toThrow(Forbidden);
      expect(called).toEqual([]);
    });

    it('is tried again by SNS when it could not be confirmed', async () => {
      answer = 500;
      const service = serviceOf();
      const once = wish();
      await expect(service.take(once)).rejects.toThrow(Unavailable);
      answer = 200;
      await service.take(once);
      expect(called).toHaveLength(2);
    });

    it('that was cancelled is told and not followed', async () => {
      await serviceOf().take(message({ Type: 'UnsubscribeConfirmation' }));
      expect(called).toEqual([]);
      expect(await test.query('SELECT action FROM audit_event')).toEqual([{ action: 'sns.unsubscribed' }]);
      expect(lines.at(-1)?.msg).toMatch('cancelled');
    });
  });
});

describe('SNS’s certificates', () => {
  const at = new StillClock();
  const pages = new Map<string, number>();
  let fetches = 0;
  const source = () =>
    new FetchedCertificates(
      {
        fetch: async ({ url, maxRedirects }: EgressRequest) => {
          fetches += 1;
          expect(maxRedirects).toBe(0);
          return { status: pages.get(url) ?? 200, headers: {}, body: Buffer.from(`pem of ${url}`), url };
        },
      } as Egress,
      at,
    );

  beforeEach(() => {
    pages.clear();
    fetches = 0;
  });

  it('are fetched once a day, also when many ask at the same time', async () => {
    const certificates = source();
    await Promise.all([1, 2, 3].map(() => certificates.fetch('https://a/x.pem')));
    expect(await certificates.fetch('https://a/x.pem')).toBe('pem of https://a/x.pem');
    expect(fetches).toBe(1);
    at.advance(25 * HOUR);
    await certificates.fetch('https://a/x.pem');
    expect(fetches).toBe(2);
  });

  it('that are not there are asked for again by the next message, and SNS is told to send it again', async () => {
    const certificates = source();
    pages.set('https://a/x.pem', 404);
    await expect(certificates.fetch('https://a/x.pem')).rejects.toMatchObject({ status: 503 });
    pages.clear();
    expect(await certificates.fetch('https://a/x.pem')).toMatch('pem of');
  });

  it('are fetched so seldom that nobody can be flooded through us', async () => {
    const certificates = source();
    await certificates.fetch('https://a/known.pem');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 100 }, async (_, index) => certificates.fetch(`https://a/${index}.pem`)),
    );
    expect(fetches).toBe(10);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(91);
    expect(await certificates.fetch('https://a/known.pem')).toMatch('known');
    at.advance(60_000);
    expect(await certificates.fetch('https://a/99.pem')).toMatch('99');
  });
});
