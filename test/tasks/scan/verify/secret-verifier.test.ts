import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sealText } from '../../../../src/access/sealing.js';
import { EgressFailed } from '../../../../src/outbound/egress/egress.js';
import { builtInRules } from '../../../../src/tasks/scan/secrets/rules/built-in.js';
import { loadRules } from '../../../../src/tasks/scan/secrets/rules/load.js';
import type { VerifySpec } from '../../../../src/tasks/scan/secrets/rules/schema.js';
import { SecretVerifier } from '../../../../src/tasks/scan/verify/secret-verifier.js';
import { FakeClock } from '../../../support/clock.js';
import { eventually } from '../../../support/eventually.js';
import { fakeProvider } from './provider.js';

const key = { id: 'verification', key: Buffer.alloc(32, 3) };
const bearer = (url: string): VerifySpec => ({
  method: 'GET',
  url,
  headers: { authorization: 'Bearer {secret}' },
  active: [200],
  inactive: [401],
});
const specs = new Map([
  ['one', bearer('https://api.one.example/user')],
  ['two', { ...bearer('https://api.two.example/keys/{secret}?x=1'), headers: {} }],
  ['other', bearer('https://not-allowed.example/user')],
]);
const hosts = ['api.one.example', 'api.two.example'];

const found = (secret: string, ruleId = 'one') => ({
  fingerprint: `f:${secret}`,
  ruleId,
  sealed: sealText(key, secret, `f:${secret}`),
});
const patient = new AbortController().signal;

let provider: Awaited<ReturnType<typeof fakeProvider>>;
let clock: FakeClock;
let verifier: SecretVerifier;
beforeAll(async () => {
  provider = await fakeProvider((asked, response) => {
    const told = `${asked.headers.authorization ?? ''} ${asked.url ?? ''}`;
    if (told.includes('lives')) response.end('{"login":"x"}');
    else if (told.includes('moved')) response.writeHead(302, { location: 'http://api.two.example/' }).end();
    else if (told.includes('busy')) response.writeHead(429).end();
    else if (told.includes('large')) response.end(Buffer.alloc(400_000));
    else response.writeHead(401).end();
  });
});
afterAll(() => provider.close());
beforeEach(() => {
  provider.asked.length = 0;
  clock = new FakeClock();
  verifier = new SecretVerifier({ key, specs }, hosts, provider.egress, clock);
});

/** Lets the verifier have its turns: nobody waits in earnest. */
async function verified(...all: ReturnType<typeof found>[]) {
  let isOver = false;
  const answers = verifier.verify(all, patient).finally(() => (isOver = true));
  await eventually(() => {
    if (clock.sleeping.count > 0) clock.advance(500);
    return isOver;
  });
  return answers;
}
const statesOf = (answers: ReadonlyMap<string, { state: string }>) =>
  [...answers].map(([fingerprint, { state }]) => [fingerprint.slice(2), state]);

describe('a provider', () => {
  test('is asked about its own secrets, in the way that the rule says', async () => {
    const answers = await verified(found('lives'), found('dead'), found('lives/&', 'two'));
    expect(statesOf(answers)).toEqual([
      ['lives', 'active'],
      ['dead', 'inactive'],
      ['lives/&', 'active'],
    ]);
    expect(
      provider.asked.map(({ host, url, headers }) => [
        host?.replace(/:\d+$/, ''),
        url,
        headers.authorization,
      ]),
    ).toEqual([
      ['api.one.example', '/user', 'Bearer lives'],
      ['api.one.example', '/user', 'Bearer dead'],
      ['api.two.example', '/keys/lives%2F%26?x=1', undefined],
    ]);
  });

  test('that is not allowed is never asked, and nothing is said of its secrets', async () => {
    expect(await verified(found('lives', 'other'), found('lives', 'no such rule'))).toEqual(new Map());
    expect(provider.asked).toEqual([]);
  });

  test('is not followed elsewhere', async () => {
    expect(statesOf(await verified(found('moved')))).toEqual([['moved', 'unknown']]);
    expect(provider.asked).toHaveLength(1);
  });

  test('that answers with too much says nothing', async () => {
    expect(statesOf(await verified(found('large')))).toEqual([['large', 'unknown']]);
  });

  test('is asked once about a secret within an hour, and again after it', async () => {
    const first = await verified(found('lives'));
    clock.advance(60_000);
    expect(await verified(found('lives'))).toEqual(first);
    expect(provider.asked).toHaveLength(1);
    clock.advance(3_600_000);
    await verified(found('lives'));
    expect(provider.asked).toHaveLength(2);
  });

  test('is asked twice a second at most', async () => {
    const begun = clock.now();
    await verified(...Array.from({ length: 5 }, (_, n) => found(`dead${n}`)));
    expect(clock.now() - begun).toBe(2000);
  });

  test('that is busy has a minute of rest', async () => {
    await verified(found('busy'));
    expect(statesOf(await verified(found('lives')))).toEqual([['lives', 'unknown']]);
    clock.advance(60_000);
    expect(statesOf(await verified(found('lives')))).toEqual([['lives', 'active']]);
  });

  test('is asked about twenty secrets of one object; of the others nothing is known', async () => {
    const answers = await verified(...Array.from({ length: 25 }, (_, n) => found(`dead${n}`)));
    expect(provider.asked).toHaveLength(20);
    expect(statesOf(answers).filter(([, state]) => state === 'unknown')).toHaveLength(5);
  });
});

test('what fails says nothing, and tells nobody the secret', async () => {
  const failing = {
    fetch: () => Promise.reject(new EgressFailed('could not send Bearer hunter2')),
  };
  const one = new SecretVerifier({ key, specs }, hosts, failing, clock);
  const answers = await one.verify([found('hunter2')], patient);
  expect(answers.get('f:hunter2')?.state).toBe('unknown');
  clock.advance(500);
  const stranger = { ...found('hunter2'), sealed: sealText({ ...key, key: Buffer.alloc(32, 4) }, 'x', 'y') };
  expect((await one.verify([stranger], patient)).get('f:hunter2')?.state).toBe('unknown');
});

test('a scan that is given up waits for nobody', async () => {
  const controller = new AbortController();
  const waiting = verifier.verify([found('dead'), found('lives')], controller.signal);
  await eventually(() => clock.sleeping.count > 0);
  controller.abort(new Error('the lease is lost'));
  await expect(waiting).rejects.toThrow('the lease is lost');
  expect(provider.asked).toHaveLength(1);
});

test('hosts that no rule asks are told', () => {
  const typed = new SecretVerifier({ key, specs }, [...hosts, 'api.gihub.com'], provider.egress, clock);
  expect(typed.idleHosts).toEqual(['api.gihub.com']);
  expect(new SecretVerifier(undefined, hosts, provider.egress, clock).idleHosts).toEqual([]);
});

test('the built-in rules read, and send the secret in a header alone', () => {
  const own = loadRules(builtInRules()).rules.flatMap(({ verify }) => (verify === undefined ? [] : [verify]));
  expect(own.length).toBeGreaterThanOrEqual(12);
  for (const { method, url, headers } of own) {
    expect([method, url.includes('{secret}')]).toEqual(['GET', false]);
    expect(Object.values(headers).filter((value) => value.includes('{secret}'))).toHaveLength(1);
  }
});
