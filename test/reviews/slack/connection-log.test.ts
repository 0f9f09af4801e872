import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { ConnectionLog } from '../../../src/reviews/channels/slack/inbound/connection-log.js';

describe('the log of a connection to Slack', () => {
  const home = { teamId: 'T1', teamName: 'Acme', appId: 'A1', scopes: [] };
  const begin = () => {
    const lines: Record<string, unknown>[] = [];
    const to = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
    return { lines, log: new ConnectionLog(pino({ level: 'info', base: null }, to)) };
  };

  it('says each refusal once, with what mends it, however often it is tried', () => {
    const { lines, log } = begin();
    for (let failures = 1; failures <= 50; failures++) log.failed('invalid_auth', failures);
    for (let failures = 51; failures <= 100; failures++) log.failed('missing_scope', failures);
    expect(lines).toMatchObject([
      { reason: 'invalid_auth', remedy: expect.stringContaining('App-Level Token') as string },
      { reason: 'missing_scope', remedy: expect.stringContaining('connections:write') as string },
    ]);
    log.connected(home, 'A1');
    log.failed('missing_scope', 1);
    expect(lines).toHaveLength(4);
  });

  it('says that the connection is of another app, and nothing where Slack does not tell one of them', () => {
    const { lines, log } = begin();
    log.connected(home, 'A2');
    log.connected(home, undefined);
    log.connected({ ...home, appId: undefined }, 'A2');
    expect(lines.filter(({ level }) => level === 50)).toMatchObject([{ botApp: 'A1', connectedApp: 'A2' }]);
  });
});
