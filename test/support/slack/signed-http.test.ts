import { createHmac } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeSlack } from './fake-slack.js';
import { actions, alice } from './sample-blocks.js';

describe('the stand-in that brings signed requests', () => {
  const secret = 'between us';
  const requests: { url: string; headers: IncomingHttpHeaders; body: string }[] = [];
  let answer: (body: string) => { status?: number; text?: string; headers?: Record<string, string> };
  let service: Server;
  let fake: FakeSlack;

  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request);
    requests.push({ url: request.url ?? '', headers: request.headers, body });
    const { status = 200, text: said = '', headers = {} } = answer(body);
    response.writeHead(status, headers).end(said);
  };

  beforeEach(async () => {
    requests.length = 0;
    answer = () => ({});
    service = createServer((request, response) => void take(request, response));
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    const at = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
    fake = await FakeSlack.start();
    fake.useHttp({
      interactionsUrl: `${at}/interactions`,
      commandsUrl: `${at}/commands`,
      eventsUrl: `${at}/events`,
      signingSecret: secret,
    });
    fake.eventRetriesAfterMs = [1, 1, 1];
    fake.echoes = false;
  });
  afterEach(async () => {
    await fake.close();
    service.closeAllConnections();
    await new Promise((resolve) => service.close(resolve));
  });

  it('signs forms for clicks and commands, and JSON for events', async () => {
    fake.now = () => 1_800_000_000_500;
    const message = fake.workspace.post(fake.addChannel({ id: 'C1', name: 'c' }), {
      text: '',
      blocks: actions('go'),
    });
    expect(await fake.click(message, 'go', alice)).toEqual({});
    answer = () => ({ text: 'only text' });
    expect(await fake.slash('/review', 'a & b', alice)).toEqual({ text: 'only text' });
    answer = (body) => ({ text: (JSON.parse(body) as { challenge: string }).challenge });
    expect(await fake.verifyUrl()).toBe(true);
    answer = () => ({ text: 'never heard of it' });
    expect(await fake.verifyUrl()).toBe(false);
    for (const { headers, body } of requests) {
      const mac = createHmac('sha256', secret).update(`v0:1800000000:${body}`).digest('hex');
      expect(headers).toMatchObject({
        'x-slack-request-timestamp': '1800000000',
        'x-slack-signature': `v0=${mac}`,
      });
    }
    const [click, command, event] = requests;
    const payload = new URLSearchParams(click?.body).get('payload') ?? '';
    expect(JSON.parse(payload)).toMatchObject({ type: 'block_actions', api_app_id: 'A0FAKE' });
    expect(new URLSearchParams(command?.body).get('text')).toBe('a & b');
    expect(event?.headers['content-type']).toBe('application/json');
    expect(requests.map(({ url }) => url).slice(0, 3)).toEqual(['/interactions', '/commands', '/events']);
  });

  it('says when an interaction was not taken, and does not bring it again', async () => {
    answer = () => ({ status: 401, text: 'who are you' });
    await expect(fake.slash('/review', '', alice)).rejects.toThrow(/answered 401: who are you/);
    expect(requests).toHaveLength(1);
  });

  it('brings an event up to three times more, says why, and stops when it is asked to', async () => {
    answer = () => ({ status: 500 });
    expect(await fake.openHome(alice)).toMatchObject({ attempts: 4, acknowledged: false });
    expect(requests.map(({ headers }) => headers['x-slack-retry-num'])).toEqual([undefined, '1', '2', '3']);
    expect(requests.at(-1)?.headers['x-slack-retry-reason']).toBe('http_error');
    const ids = requests.map(({ body }) => (JSON.parse(body) as { event_id: string }).event_id);
    expect(new Set(ids).size).toBe(1);
    answer = () => ({ status: 500, headers: { 'x-slack-no-retry': '1' } });
    expect(await fake.openHome(alice)).toMatchObject({ attempts: 1, acknowledged: false });
    answer = () => (requests.length < 7 ? { status: 503 } : {});
    expect(await fake.openHome(alice)).toMatchObject({ attempts: 2, acknowledged: true });
  });
});
