import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KnownSettings } from '../../../src/reviews/channels/slack/setup/known-settings.js';
import {
  missingLocally,
  whatIsMissing,
  type AskedFacts,
} from '../../../src/reviews/channels/slack/setup/missing.js';
import { WANTED_SCOPES } from '../../../src/reviews/channels/slack/setup/scopes.js';

const of = (value: string) => ({ value, from: 'stored' as const });
const whole: KnownSettings = { botToken: of('b-secret'), appToken: of('a-secret'), channel: of('C0REVIEWS') };
const facts = (more: Partial<AskedFacts> = {}): AskedFacts => ({
  known: whole,
  publicUrl: 'https://sallyport.example.com',
  routes: 0,
  scopes: WANTED_SCOPES.map(({ scope }) => scope),
  connected: true,
  channels: [{ id: 'C0REVIEWS', name: 'reviews', trouble: null }],
  people: { deciders: 2, bound: 2 },
  ...more,
});
const whats = (more: Partial<AskedFacts>) => whatIsMissing(facts(more)).map(({ what }) => what);

describe('what Slack is missing', () => {
  it('is nothing where it is whole, also without the optional scopes or with HTTP in place of a socket', () => {
    expect(whats({})).toEqual([]);
    const needed = WANTED_SCOPES.filter(({ isOptional }) => !isOptional).map(({ scope }) => scope);
    expect(whats({ scopes: needed })).toEqual([]);
    const { botToken, channel } = whole;
    const byHttp = { botToken, channel, signingSecret: of('s') } as KnownSettings;
    expect(whats({ known: byHttp, connected: undefined })).toEqual([]);
    // Slack did not list them: none is called missing.
    expect(whats({ scopes: [] })).toEqual([]);
  });

  it.each<[string, Partial<AskedFacts>, RegExp]>([
    ['a revoked token', { tokenRefused: 'this token was revoked.' }, /^The bot token is of no use/],
    ['a silent Slack', { unreachable: 'http_503' }, /^Slack does not answer \(http_503\)/],
    [
      'a broken workspace',
      { workspaceBroken: { reason: 'ekm_access_denied', remedy: 'x' } },
      /takes no messages/,
    ],
    ['a lost connection', { connected: false, connectionError: 'invalid_auth' }, /No node is connected/],
    [
      'tokens of two apps',
      { botApp: 'A1', connectedApp: 'A2' },
      /^The app token is of the app A2 and the bot token of A1/,
    ],
    [
      'an archived channel',
      { channels: [{ id: 'C1', name: null, trouble: { fact: 'is archived', remedy: 'x' } }] },
      /^The channel C1 is archived\.$/,
    ],
    [
      'HTTP without https',
      {
        known: { botToken: of('b'), signingSecret: of('s'), channel: of('C1') },
        publicUrl: 'http://a.example',
      },
      /https addresses only/,
    ],
    [
      'a setting that cannot be opened',
      { known: { ...whole, appToken: { value: undefined, from: 'stored', problem: 'enter it again.' } } },
      /^The app token cannot be used/,
    ],
  ])('names %s, and needs it mended', (_, more, sentence) => {
    const missing = whatIsMissing(facts(more)).find(({ what }) => sentence.test(what));
    expect(missing).toMatchObject({ isNeeded: true });
  });

  it('is lesser where people can do without it', () => {
    const lesser: Partial<AskedFacts>[] = [
      { people: { deciders: 2, bound: 0 } },
      { otherSecret: 1 },
      { publicUrl: 'http://127.0.0.1:8080' },
      { known: { botToken: of('b'), appToken: of('a') }, routes: 1 },
      { scopes: WANTED_SCOPES.map(({ scope }) => scope).filter((scope) => scope !== 'im:history') },
    ];
    for (const more of lesser)
      expect(whatIsMissing(facts(more)).map(({ isNeeded }) => isNeeded)).toEqual([false]);
  });

  it('is told as sentences with remedies, what is needed first, and without any secret', () => {
    const setting = fc.record({
      value: fc.option(fc.constantFrom('horse-battery', 'staple-correct'), { nil: undefined }),
      from: fc.constantFrom('environment' as const, 'stored' as const),
      problem: fc.option(fc.constant('Enter it again.'), { nil: undefined }),
    });
    const known: fc.Arbitrary<KnownSettings> = fc.record(
      { botToken: setting, appToken: setting, signingSecret: setting, channel: setting },
      { requiredKeys: [] },
    );
    const any = fc.record({
      known,
      publicUrl: fc.constantFrom('http://127.0.0.1:8080', 'http://a.example', 'https://a.example'),
      routes: fc.nat({ max: 3 }),
      tokenRefused: fc.option(fc.constant('revoked.'), { nil: undefined }),
      unreachable: fc.option(fc.constant('timeout'), { nil: undefined }),
      scopes: fc.subarray(WANTED_SCOPES.map(({ scope }) => scope)),
      connected: fc.option(fc.boolean(), { nil: undefined }),
      channels: fc.constant([]),
      people: fc.record({ deciders: fc.nat({ max: 9 }), bound: fc.nat({ max: 9 }) }),
    });
    fc.assert(
      fc.property(any, (given) => {
        const missing = whatIsMissing(given);
        expect(missing.map(({ isNeeded }) => isNeeded)).toEqual(
          missing.map(({ isNeeded }) => isNeeded).toSorted((a, b) => Number(b) - Number(a)),
        );
        for (const { what, remedy } of missing) {
          expect(what).toMatch(/^[A-Z0-9].*\.$/);
          expect(remedy).toMatch(/^[A-Z].*\.$/);
          expect(what + remedy).not.toMatch(/horse|staple/);
        }
        // What shows without Slack is in both.
        for (const local of missingLocally(given)) expect(missing).toContainEqual(local);
      }),
    );
  });
});
