import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  SLACK_COMMANDS,
  type SlackCommandHandler,
} from '../../../src/reviews/channels/slack/inbound/commands.js';
import { SLACK_EVENTS, type SlackEventHandler } from '../../../src/reviews/channels/slack/inbound/events.js';
import {
  appManifest,
  ManifestWish,
  SLACK_PATHS,
} from '../../../src/reviews/channels/slack/setup/manifest.js';
import {
  FREE_METHODS,
  typeOfEvent,
  WANTED_EVENTS,
  WANTED_SCOPES,
} from '../../../src/reviews/channels/slack/setup/scopes.js';
import { reviewsApp } from '../app.js';
import { reviewsStage, type ReviewsStage } from '../stage.js';

const folder = fileURLToPath(new URL('../../../src/reviews/channels/slack/', import.meta.url));
const socket = ManifestWish.parse({});
const http = ManifestWish.parse({ transport: 'http' });

/** Every method of Slack's web API that the code calls, as `chat.postMessage`. */
function methodsCalled(): Set<string> {
  const called = new Set<string>();
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const source = readFileSync(join(folder, file), 'utf8');
    for (const [, family = '', method = ''] of source.matchAll(/\bweb\??\s*\.(\w+)\s*\.(\w+)\(/g))
      called.add(`${family}.${method}`);
  }
  return called;
}

describe('the manifest of the Slack app', () => {
  it('asks for a scope for each method that the code calls', () => {
    const allowed = new Set([...FREE_METHODS, ...WANTED_SCOPES.flatMap(({ uses }) => uses)]);
    const called = methodsCalled();
    expect(called).toContain('chat.postMessage');
    expect([...called].filter((method) => !allowed.has(method))).toEqual([]);
  });

  it('asks for no scope that nothing uses', () => {
    const called = new Set<string>([...methodsCalled(), ...WANTED_EVENTS, 'commands']);
    const unused = WANTED_SCOPES.filter(({ uses }) => !uses.some((use) => called.has(use)));
    expect(unused.map(({ scope }) => scope)).toEqual([]);
    const unknown = WANTED_SCOPES.flatMap(({ uses }) => uses).filter((use) => !called.has(use));
    expect([...new Set(unknown)]).toEqual([]);
  });

  it('asks for all of them, and lets whoever installs it leave the optional ones out', () => {
    const { bot, bot_optional: optional } = appManifest(socket, 'http://127.0.0.1:8080').oauth_config.scopes;
    expect(bot.toSorted()).toEqual(WANTED_SCOPES.map(({ scope }) => scope).toSorted());
    expect(optional).toEqual(['chat:write.public', 'channels:join']);
  });

  it('needs no address for Socket Mode, and names none', () => {
    const manifest = appManifest(socket, 'http://127.0.0.1:8080');
    expect(manifest.settings.socket_mode_enabled).toBe(true);
    expect(JSON.stringify(manifest)).not.toContain('http');
  });

  it('names the three addresses for http, and is refused where Slack could not reach them', () => {
    const text = JSON.stringify(appManifest(http, 'https://sallyport.example.com'));
    for (const path of Object.values(SLACK_PATHS))
      expect(text).toContain(`https://sallyport.example.com${path}`);
    expect(() => appManifest(http, 'http://sallyport.example.com')).toThrow(/PUBLIC_URL/);
  });

  it('keeps within the limits of Slack, whatever the app is called', () => {
    for (const name of ['Sallyport', 'Über Prüfung 2', '審査', 'x'.repeat(35)]) {
      const { features, display_information: shown } = appManifest(
        ManifestWish.parse({ name }),
        'https://sallyport.example.com',
      );
      expect(features.bot_user.display_name).toMatch(/^[a-z0-9._-]{1,80}$/);
      expect(shown.name.length).toBeLessThanOrEqual(35);
      expect(shown.description.length).toBeLessThanOrEqual(140);
      for (const { command, usage_hint: hint } of features.slash_commands) {
        expect(command.length).toBeLessThanOrEqual(32);
        expect(hint.length).toBeLessThanOrEqual(1000);
      }
    }
    for (const wrong of ['', 'x'.repeat(36), 'a"b', '<!channel>'])
      expect(ManifestWish.safeParse({ name: wrong }).success).toBe(false);
    for (const wrong of ['sallyport', '/', '/Sally', `/${'x'.repeat(32)}`])
      expect(ManifestWish.safeParse({ command: wrong }).success).toBe(false);
  });

  describe('beside what is registered', () => {
    let stage: ReviewsStage;
    let app: NestFastifyApplication;
    beforeAll(async () => {
      stage = await reviewsStage();
      app = (await reviewsApp(stage)).app;
    });
    afterAll(async () => {
      await app.close();
      await stage.close();
    });

    it('subscribes to each event that has a handler, and to no other', () => {
      const handlers = app.get<readonly SlackEventHandler[]>(SLACK_EVENTS, { strict: false });
      const taken = new Set(handlers.map(({ eventType }) => eventType));
      expect([...taken].toSorted()).toEqual([...new Set(WANTED_EVENTS.map(typeOfEvent))].toSorted());
    });

    it('has a command that some handler takes under whatever name', () => {
      const handlers = app.get<readonly SlackCommandHandler[]>(SLACK_COMMANDS, { strict: false });
      expect(handlers.map(({ command }) => command)).toEqual([undefined]);
    });
  });
});
