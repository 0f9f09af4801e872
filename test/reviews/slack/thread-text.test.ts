import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { threadAct } from '../../../src/reviews/channels/slack/threads/message-event.js';
import { mentionedAccounts, replyText } from '../../../src/reviews/channels/slack/threads/reply-text.js';
import { quoted, commentLine } from '../../../src/reviews/channels/slack/threads/thread-line.js';
import { linksIn, mentionsIn } from '../../support/slack/fake-slack.js';

const nobody = () => undefined;

describe('what somebody wrote in Slack', () => {
  it.each([
    ['<@U1>, look', '@alice, look'],
    ['<@U1|somebody>', '@alice'],
    ['<@U2|bob>', 'bob'],
    ['<@U2>', 'U2'],
    ['<#C1|general> and <#C2>', '#general and #C2'],
    ['<!here> <!subteam^S1|@admins> <!date^1^{date}|today>', '!here admins today'],
    ['<https://a.example/x?y=1&amp;z=2>', 'https://a.example/x?y=1&z=2'],
    ['<https://a.example|the page>', 'the page (https://a.example)'],
    ['<mailto:a@example.com|a@example.com>', 'a@example.com'],
    ['1 &lt; 2 &amp;&amp; &amp;lt;', '1 < 2 && &lt;'],
    ['a\u0000b \ud800', 'ab \ufffd'],
    ['  spaces  ', 'spaces'],
  ])('%s reads %s', (text, plain) => {
    expect(replyText(text, (id) => (id === 'U1' ? 'alice' : undefined))).toBe(plain);
  });

  it('is never longer than a comment may be, and always well formed', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.integer({ min: 1, max: 300 }),
        (part, times) => {
          const plain = replyText(part.repeat(times), nobody);
          expect(Array.from(plain).length).toBeLessThanOrEqual(10_000);
          expect(plain.isWellFormed()).toBe(true);
          expect(plain).not.toContain('\u0000');
        },
      ),
    );
  });

  it('names each account once', () => {
    expect(mentionedAccounts('<@U1> <@U2|x> <@U1> <@not>')).toEqual(['U1', 'U2']);
  });
});

describe('what is said in a thread', () => {
  it('mentions and links nothing, whatever it quotes', () => {
    const hostile = fc.array(
      fc.constantFrom(
        '<!channel>',
        '<@U1>',
        '<https://evil.example|ok>',
        '*',
        '`',
        '_',
        '&lt;',
        '\n',
        '>',
        'a',
        '\u202e',
        '@here',
        'http://x.example',
      ),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(hostile, hostile, (words, name) => {
        const author = { id: 'x', name: name.join('') };
        const text = commentLine('commented', { author, text: words.join('') });
        const message = { text, blocks: [] };
        expect(mentionsIn(message)).toEqual([]);
        expect(linksIn(message)).toEqual([]);
        expect(text.length).toBeLessThan(2900);
      }),
    );
  });

  it('says how much of a long text it leaves out', () => {
    expect(quoted(Array.from({ length: 40 }, (_, n) => `line ${n}`).join('\n'))).toMatch(
      /^> line 0\n[\s\S]*_and 15 more lines on the web_$/,
    );
  });
});

describe('an event of a message', () => {
  const reply = { channel: 'C1', user: 'U1', ts: '2.1', thread_ts: '1.1', text: 'hello', type: 'message' };
  const self = { botUserId: 'UBOT' };

  it('is a reply when a person wrote it in a thread', () => {
    expect(threadAct(reply, self)).toMatchObject({ kind: 'wrote', root: '1.1', ts: '2.1' });
    expect(threadAct({ ...reply, subtype: 'thread_broadcast' }, self)).toMatchObject({ kind: 'wrote' });
    expect(threadAct({ ...reply, subtype: 'file_share', files: [{}] }, self)).toMatchObject({ files: 1 });
  });

  it.each([
    ['of a bot', { ...reply, bot_id: 'B1' }],
    ['of an app', { ...reply, app_id: 'A1' }],
    ['of ourselves', { ...reply, user: 'UBOT' }],
    ['of nobody', { ...reply, user: undefined }],
    ['the root itself', { ...reply, thread_ts: '2.1' }],
    ['outside of threads', { ...reply, thread_ts: undefined }],
    ['of another subtype', { ...reply, subtype: 'channel_join' }],
    ['a change of ours', { channel: 'C1', subtype: 'message_changed', message: { ...reply, bot_id: 'B1' } }],
    ['no event', 'hello'],
  ])('is nothing when it is %s', (_what, event) => {
    expect(threadAct(event, self)).toBeUndefined();
  });

  it('never fails, whatever comes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (event) => {
        threadAct(event, self);
        threadAct({ ...reply, message: event, files: event, thread_ts: event }, self);
      }),
    );
  });
});
