import { describe, expect, it } from 'vitest';
import { linksIn, mentionsIn } from './fake-slack.js';
import { button } from './sample-blocks.js';

describe('what people see of a message', () => {
  const mrkdwn = (of: string, more: object = {}) => ({
    type: 'section',
    text: { type: 'mrkdwn', text: of, ...more },
  });

  it('mentions and links where Slack would make a mention or a link', () => {
    const text = '<!channel> <@U1|x> <#C1> <!subteam^S1|@team> and <https://a.example|here>';
    expect(mentionsIn({ text })).toEqual(['!channel', '@U1', '#C1', '!subteam^S1']);
    expect(linksIn({ text })).toEqual(['https://a.example']);
    // Code does not keep Slack from reading it.
    expect(mentionsIn({ text: '', blocks: [mrkdwn('`<!here>`')] })).toEqual(['!here']);
    expect(linksIn({ blocks: [mrkdwn('see https://b.example and me@c.example')] })).toEqual([
      'https://b.example',
      'me@c.example',
    ]);
    const rich = {
      type: 'rich_text',
      elements: [
        {
          type: 'rich_text_section',
          elements: [
            { type: 'user', user_id: 'U2' },
            { type: 'broadcast', range: 'here' },
            { type: 'link', url: 'https://d.example' },
            { type: 'text', text: 'https://e.example <!channel>' },
          ],
        },
      ],
    };
    expect(mentionsIn({ blocks: [rich] })).toEqual(['@U2', '!here']);
    expect(linksIn({ blocks: [rich] })).toEqual(['https://d.example']);
  });

  it('neither mentions nor links where it would not', () => {
    const inert = [
      mrkdwn('&lt;!channel&gt; &lt;https://a.example|b&gt;', { verbatim: true }),
      mrkdwn('`https://a.example`'),
      mrkdwn('<!date^1800000000^{date_short_pretty} {time}|then>'),
      { type: 'header', text: { type: 'plain_text', text: '<!here> https://a.example' } },
      { type: 'actions', elements: [{ ...button('open'), url: 'https://a.example' }] },
    ];
    expect(mentionsIn({ text: 'x', blocks: inert })).toEqual([]);
    expect(linksIn({ text: 'https://a.example', blocks: inert })).toEqual([]);
  });
});
