import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Review } from '../../../src/reviews/review.js';
import { valueOf } from '../../../src/reviews/channels/slack/review-buttons.js';
import { SlackIdentities } from '../../../src/reviews/channels/slack/people/slack-identities.js';
import { bindSlackPerson } from '../../../src/reviews/channels/slack/sql/identities.js';
import { eventually } from '../../support/eventually.js';
import type { UserChange } from '../../support/slack/people.js';
import { buttonsOf, textOf } from '../../support/slack/fake-slack.js';
import { person } from '../stage.js';
import { confirmLink, openLink, type Answered } from './linking.js';
import { alice, bob, clickOn, inboundStage, type InboundStage } from './inbound-stage.js';
import { audited } from '../../support/audit.js';

const MINUTE = 60_000;
const HOST = { host: '127.0.0.1:8080' };
const reason = { reason: { text: 'our own test file' } };

let here: InboundStage;
let review: Review;
beforeEach(async () => {
  here = await inboundStage('socket');
  review = await here.stage.open();
});
afterEach(() => here.close());

const by = (user: { id: string; name: string; teamId?: string }, what = 'review.claim') => {
  here.slack.workspace.meet(user, here.slack.channel);
  return clickOn(here, review, {
    user: { id: user.id, name: user.name, team_id: user.teamId ?? here.slack.teamId },
    trigger_id: here.slack.workspace.triggers.issue(user.id),
    actions: [{ type: 'button', action_id: what, value: valueOf(review) }],
  });
};
/** What somebody who clicked is told privately: beside the conversation, or in a window where they cannot read there. */
const told = async (payload: Record<string, unknown>): Promise<string> => {
  const before = here.slack.whispers.length;
  const { id } = payload['user'] as { id: string };
  here.slack.views.delete(id);
  await here.slack.deliver(payload);
  return eventually(
    () => here.slack.whispers[before]?.text ?? (here.slack.views.has(id) && textOf(here.slack.views.get(id))),
    { what: 'a private answer' },
  );
};
const openForm = async (user = alice): Promise<void> => {
  await here.slack.deliver(by(user, 'review.decide:release'));
  await eventually(() => here.slack.views.has(user.id), { what: 'a form' });
};
const linked = async (user = alice): Promise<boolean> =>
  (await here.stage.db.query('SELECT 1 FROM slack_identity WHERE user_id = $1', [user.id])).length > 0;
const dropped = () => audited(here.stage.db, { action: 'slack.unlinked' });
const isUntouched = async (): Promise<void> => {
  const { state, votes } = await here.stage.reviews.get(review.id);
  expect([state, votes]).toEqual(['OPEN', []]);
};
const asked = (): number => here.slack.calls.filter(({ method }) => method === 'users.info').length;

describe('an account that is no member of the workspace', () => {
  it.each<[string, UserChange, RegExp, string]>([
    ['a guest', { isRestricted: true }, /Guests cannot answer here/, 'guest'],
    ['a guest of one channel', { isUltraRestricted: true }, /Guests cannot answer here/, 'guest'],
    ['a bot', { isBot: true }, /Bots and apps cannot answer/, 'bot'],
    ['deactivated', { deleted: true }, /is deactivated/, 'deleted'],
    ['a stranger', { isStranger: true }, /Only people of this workspace/, 'stranger'],
  ])(
    'that is %s changes nothing by a click, hears why, and speaks for nobody any more',
    async (_, change, why, because) => {
      here.slack.workspace.changeUser(alice.id, change);
      const text = await told(by(alice));
      expect(text).toMatch(why);
      expect(text).toMatch(/Nothing was decided/);
      await isUntouched();
      expect(await linked()).toBe(false);
      expect(await dropped()).toMatchObject([
        { actor: 'system:slack', subject: 'user:alice', data: { slackUserId: alice.id, because } },
      ]);
      // As a member again it has to be linked anew.
      here.slack.workspace.changeUser(
        alice.id,
        Object.fromEntries(Object.keys(change).map((key) => [key, false])),
      );
      here.stage.clock.advance(6 * MINUTE);
      expect(await told(by(alice))).toMatch(/Link your Slack account first/);
      await isUntouched();
    },
  );

  it('changes nothing by a form that was opened before, and hears why in it', async () => {
    await openForm();
    here.slack.workspace.changeUser(alice.id, { isRestricted: true });
    here.stage.clock.advance(6 * MINUTE);
    const answer = await here.slack.submit(alice, reason);
    expect(answer['response_action']).toBe('update');
    expect(textOf(answer['view'])).toMatch(/Guests cannot answer here/);
    await isUntouched();
  });

  it('is told of by Slack, and speaks for nobody at once, without a click', async () => {
    await told(by({ id: 'U0NOBODY', name: 'nobody' }));
    const event = await here.slack.changeUser(alice.id, { deleted: true });
    await eventually(async () => !(await linked()));
    await here.slack.repeat(event);
    expect(await dropped()).toHaveLength(1);
    expect(await told(by(alice))).toMatch(/is deactivated/);
    await isUntouched();
  });

  it('that nobody here knows leaves nothing behind when Slack tells of it', async () => {
    here.slack.addUser({ id: 'U0MANY', name: 'one of thousands' });
    await here.slack.changeUser('U0MANY', { deleted: true });
    const rows = await here.stage.db.query(`SELECT 1 FROM slack_account WHERE user_id = 'U0MANY'`);
    expect(rows).toEqual([]);
  });

  it('is given no link to bind it to somebody', async () => {
    here.slack.addUser({ id: 'U0GUEST', name: 'guest', isRestricted: true });
    expect(await told(by({ id: 'U0GUEST', name: 'guest' }))).toMatch(/Guests cannot answer here/);
    expect(await here.stage.db.query('SELECT 1 FROM slack_link_request')).toEqual([]);
  });
});

describe('Slack Connect stranger clicks', () => {
  const stranger = { id: 'U0ALICE2', name: 'alice.w', teamId: 'T0OTHER' };

  it('changes nothing by a button or a form, whatever account somebody linked, and is told so alone', async () => {
    // Even if an account of that id were linked here.
    await bindSlackPerson(
      here.stage.db,
      { teamId: here.slack.teamId, userId: stranger.id },
      { id: 'alice', name: 'Alice' },
      1,
    );
    expect(await told(by(stranger))).toMatch(/Only people of this workspace can answer here/);
    expect(here.slack.whispers.map(({ user }) => user)).toEqual([stranger.id]);
    expect(await told(by(stranger, 'review.decide:release'))).toMatch(/Only people of this workspace/);
    expect(here.slack.views.size).toBe(0);
    await isUntouched();
    expect(asked()).toBe(0);
  });

  it('is let through to be told so where Slack names their own workspace, since the message is ours', async () => {
    const payload = { ...by(stranger), team: { id: 'T0OTHER' }, message: { team: here.slack.teamId } };
    expect(await told(payload)).toMatch(/Only people of this workspace/);
    await isUntouched();
  });

  it('changes nothing over the socket from another workspace or for another app, and is counted', async () => {
    for (const more of [{ team: { id: 'T0OTHER' } }, { api_app_id: 'A0OTHER' }])
      expect(await here.slack.deliver({ ...by(alice), ...more })).toEqual({});
    await isUntouched();
    expect(here.slack.whispers).toEqual([]);
    const metrics = await here.app.inject({
      method: 'GET',
      url: '/metrics',
      headers: { ...HOST, 'x-test-user': 'root', 'x-test-roles': 'admin' },
    });
    expect(metrics.body).toContain(
      'sallyport_slack_refused_total{transport="socket",reason="foreign_team"} 1',
    );
    expect(metrics.body).toContain(
      'sallyport_slack_refused_total{transport="socket",reason="foreign_app"} 1',
    );
  });
});

describe('what Slack says of an account', () => {
  it('is asked once for many clicks, and again after some minutes', async () => {
    await Promise.all(Array.from({ length: 20 }, () => here.slack.deliver(by(alice))));
    await eventually(async () => (await here.stage.reviews.get(review.id)).state === 'CLAIMED');
    await eventually(() => asked() === 1);
    here.stage.clock.advance(6 * MINUTE);
    await openForm();
    expect(asked()).toBe(2);
  });

  it('is needed: while Slack does not say it nobody decides, unless it said so within the hour', async () => {
    const silent = () =>
      here.slack.script(
        'users.info',
        ...Array.from({ length: 9 }, () => ({ kind: 'status', status: 503 }) as const),
      );
    silent();
    expect(await told(by(alice))).toMatch(/does not say just now .* Nothing was decided/);
    await isUntouched();
    expect(await linked()).toBe(true);

    here.slack.behave();
    here.stage.clock.advance(MINUTE);
    await openForm();
    silent();
    here.stage.clock.advance(59 * MINUTE);
    await here.slack.submit(alice, { reason: { text: ' ' } });
    await isUntouched();
    here.stage.clock.advance(2 * MINUTE);
    const answer = await here.slack.submit(alice, reason);
    // The form is still there below, with what was written.
    expect(answer['response_action']).toBe('push');
    expect(textOf(answer['view'])).toMatch(/does not say just now/);
    await isUntouched();

    here.slack.behave();
    here.stage.clock.advance(MINUTE);
    await here.slack.closeView(alice);
    expect(await here.slack.submit(alice, reason)).toEqual({});
    expect((await here.stage.reviews.get(review.id)).decision?.by.id).toBe('alice');
  });

  it('is waited for no longer than a click lives', async () => {
    here.slack.script('users.info', { kind: 'slow', ms: 4000 });
    const began = performance.now();
    expect(await told(by(alice))).toMatch(/does not say just now/);
    expect(performance.now() - began).toBeLessThan(3000);
  });

  it('counts for nothing where the scope is missing, and says which', async () => {
    here.slack.scopes = ['chat:write'];
    expect(await told(by(alice))).toMatch(/does not say just now/);
    await isUntouched();
  });
});

describe('Slack user renamed or deactivated', () => {
  it('a new name changes nothing of whose account it is', async () => {
    await here.slack.changeUser(alice.id, { name: 'bob.k', realName: 'Bob', email: 'bob@example.com' });
    await here.slack.deliver(by({ ...alice, name: 'bob.k' }));
    await eventually(async () => (await here.stage.reviews.get(review.id)).state === 'CLAIMED');
    expect((await here.stage.reviews.get(review.id)).claim?.by.id).toBe('alice');
  });

  it('a person who was disabled or lost the role here decides nothing there', async () => {
    await openForm();
    here.stage.reviewers.people = here.stage.reviewers.people.filter(({ personId }) => personId !== 'alice');
    const answer = await here.slack.submit(alice, reason);
    expect(textOf(answer['view'])).toMatch(/may not decide on reviews/);
    expect(await told(by(alice))).toMatch(/may not decide on reviews/);
    await isUntouched();
    // The link stays: it is the role that is missing.
    expect(await linked()).toBe(true);
  });
});

describe('approver leaves the group between open and click', () => {
  it('is told so, before and after the form is open', async () => {
    const people = (groups: string[]) => [
      { personId: 'alice', name: 'Alice', groups },
      { personId: 'bob', name: 'Bob', groups: ['secops'] },
    ];
    here.stage.reviewers.people = people(['secops']);
    review = await here.stage.open({ assign: { to: ['group:secops'] } });
    await openForm();
    here.stage.reviewers.people = people(['leads']);
    const answer = await here.slack.submit(alice, reason);
    expect(textOf(answer['view'])).toMatch(/asks the group secops/);
    expect(await told(by(alice, 'review.decide:release'))).toMatch(/asks the group secops/);
    await isUntouched();
  });
});

describe('workflow terminated while the modal is open', () => {
  it('nothing is decided, and the form says why', async () => {
    await openForm();
    here.stage.engine.end(review.taskId, 'CANCELED');
    const answer = await here.slack.submit(alice, reason);
    expect(answer['response_action']).toBe('update');
    expect(textOf(answer['view'])).toMatch(/no longer waits for this decision/);
    const after = await here.stage.reviews.get(review.id);
    expect([after.state, after.decision]).toEqual(['CANCELLED', undefined]);
  });
});

describe('modal open while somebody else decides', () => {
  it('says who won, and changes nothing', async () => {
    await openForm();
    await here.stage.reviews.act(
      review.id,
      { kind: 'decide', outcome: 'delete', reason: 'no' },
      person('bob'),
    );
    const answer = await here.slack.submit(alice, reason);
    expect(textOf(answer['view'])).toMatch(/Bob already chose “Delete”/);
    expect((await here.stage.reviews.get(review.id)).decision?.outcome).toBe('delete');
  });
});

describe('same person through Slack and mail counted once', () => {
  it('is one vote, however many accounts and channels it came by', async () => {
    review = await here.stage.open({ quorum: { approve: 2 } });
    const second = { id: 'U0ALICEPHONE', name: 'alice.phone' };
    await bindSlackPerson(
      here.stage.db,
      { teamId: here.slack.teamId, userId: second.id },
      { id: 'alice', name: 'Alice' },
      1,
    );
    await openForm();
    await here.slack.submit(alice, reason);
    const byMail = person('alice', { via: 'mail', method: 'mail-link' });
    await here.stage.reviews.act(review.id, { kind: 'decide', outcome: 'release', reason: 'yes' }, byMail);
    await here.slack.deliver(by(second, 'review.decide:release'));
    await eventually(() => here.slack.views.has(second.id));
    await here.slack.submit(second, reason);
    const still = await here.stage.reviews.get(review.id);
    expect([still.state, still.votes.length]).toEqual(['OPEN', 1]);
    await openForm(bob);
    await here.slack.submit(bob, reason);
    const after = await here.stage.reviews.get(review.id);
    expect([after.state, after.votes.map((vote) => vote.by.id)]).toEqual(['COMPLETED', ['alice', 'bob']]);
  });

  it('four eyes keep the uploader out through Slack too', async () => {
    review = await here.stage.open({ requester: 'alice', fourEyes: ['requester'] });
    expect(await told(by(alice, 'review.decide:release'))).toMatch(/four eyes/);
    await isUntouched();
  });
});

describe('who is linked', () => {
  const as = (user: string, roles = 'analyst') => ({ ...HOST, 'x-test-user': user, 'x-test-roles': roles });
  const list = async (url = '/api/v1/slack/people', headers = as('root', 'auditor')) =>
    JSON.parse((await here.app.inject({ method: 'GET', url, headers })).body) as {
      items: { slackUserId: string; person: { id: string }; standing: string | null }[];
      nextCursor: string | null;
    };
  const remove = async (user: string, headers: Record<string, string>): Promise<number> =>
    (
      await here.app.inject({
        method: 'DELETE',
        url: `/api/v1/slack/people/${here.slack.teamId}/${user}`,
        headers,
      })
    ).statusCode;

  it('is listed, a page at a time, with what Slack said of them', async () => {
    await here.slack.deliver(by(alice));
    await eventually(() => asked() === 1);
    await eventually(async () => (await list()).items[0]?.standing === 'member');
    expect((await list()).items).toMatchObject([
      { slackUserId: alice.id, slackUserName: alice.name, person: { id: 'alice' }, standing: 'member' },
      { slackUserId: bob.id, person: { id: 'bob' }, standing: null },
    ]);
    const first = await list('/api/v1/slack/people?limit=1');
    expect([first.items.length, first.nextCursor]).toEqual([1, `${here.slack.teamId}/${alice.id}`]);
    const next = await list(
      `/api/v1/slack/people?limit=1&cursor=${encodeURIComponent(first.nextCursor ?? '')}`,
    );
    expect([next.items[0]?.slackUserId, next.nextCursor]).toEqual([bob.id, null]);
    const bad = await here.app.inject({
      method: 'GET',
      url: '/api/v1/slack/people?cursor=x',
      headers: as('root', 'auditor'),
    });
    expect([bad.statusCode, bad.body]).toEqual([400, expect.stringContaining('cursor')]);
    expect((await list('/api/v1/me/slack', as('bob'))).items).toMatchObject([{ slackUserId: bob.id }]);
  });

  it('unlinks an account of their own or, as an admin, any; from then on it decides nothing', async () => {
    await openForm();
    expect(await remove(alice.id, as('bob'))).toBe(403);
    expect(await remove(alice.id, { ...as('alice'), 'x-test-kind': 'apikey' })).toBe(403);
    expect(await remove(alice.id, as('alice'))).toBe(204);
    expect(await remove(alice.id, as('root', 'admin'))).toBe(404);
    expect(await remove(bob.id, as('root', 'admin'))).toBe(204);
    const answer = await here.slack.submit(alice, reason);
    expect(textOf(answer['view'])).toMatch(/linked to nobody/);
    await isUntouched();
    const rows = await dropped();
    expect(rows.map(({ actor, subject }) => `${actor} ${subject}`).toSorted()).toEqual([
      'user:alice user:alice',
      'user:root user:bob',
    ]);
  });

  it('hears by mail that an account speaks for them no more, unless they unlinked it themselves', async () => {
    const mails = () =>
      here.stage.db.query<{ payload: { to: string[]; subject: string; text: string; html: string } }>(
        `SELECT payload FROM outbox WHERE kind = 'mail' AND key LIKE 'slack-unlinked:%' ORDER BY id`,
      );
    here.stage.reviewers.people = here.stage.reviewers.people.map((one) => ({
      ...one,
      email: `${one.personId}@example.com`,
    }));
    expect(await remove(alice.id, as('alice'))).toBe(204);
    expect(await mails()).toEqual([]);
    here.slack.workspace.changeUser(bob.id, { name: '<b>bob</b> https://evil.example' });
    await told(by({ ...bob, name: 'bob' }));
    expect(await remove(bob.id, as('root', 'admin'))).toBe(204);
    const [first] = await mails();
    expect(first?.payload.to).toEqual(['bob@example.com']);
    expect(first?.payload.subject).toBe('Sallyport: your Slack account no longer speaks for you');
    expect(first?.payload.text).toMatch(
      /\(U0BOB\) answered reviews in your name\. Since .* it does not: root unlinked it/,
    );
    expect(first?.payload.html).not.toMatch(/<b>bob|href/);
    // A guest by now: Slack says so, and nobody here did anything.
    await bindSlackPerson(
      here.stage.db,
      { teamId: here.slack.teamId, userId: alice.id },
      { id: 'alice', name: 'Alice' },
      1,
    );
    here.slack.workspace.changeUser(alice.id, { isRestricted: true });
    await told(by(alice));
    const [, second] = await mails();
    expect(second?.payload.to).toEqual(['alice@example.com']);
    expect(second?.payload.text).toMatch(/it does not: Slack says that the account is a guest/);
  });

  it('is bound by a link that works for fifteen minutes, once', async () => {
    await here.stage.db.query('DELETE FROM slack_identity');
    await told(by(alice));
    const url = (): URL => new URL(String(buttonsOf(here.slack.whispers.at(-1)?.blocks ?? [])[0]?.['url']));
    const follow = async (user: string, link: URL): Promise<number> =>
      (await confirmLink(here.app, link.href, as(user))).status;
    const late = url();
    here.stage.clock.advance(15 * MINUTE + 1);
    expect(await follow('bob', late)).toBe(404);
    await told(by(alice));
    expect(await follow('bob', url())).toBe(200);
    // Nothing happened by the click that asked for it.
    await isUntouched();
    await here.stage.db.query('DELETE FROM slack_link_request');
    await here.stage.db.query(`UPDATE slack_identity SET person_id = 'gone' WHERE user_id = $1`, [alice.id]);
    expect(await told(by(alice))).toMatch(/may not decide on reviews/);
  });
});

describe('the page that links an account', () => {
  const MAY_NOT = /may not decide on reviews/;
  const as = (user: string, roles = 'analyst', more: Record<string, string> = {}) => ({
    ...HOST,
    'x-test-user': user,
    'x-test-roles': roles,
    ...more,
  });
  const page = (method: 'GET' | 'POST', user: string, roles: string, { href }: URL): Promise<Answered> =>
    method === 'GET'
      ? openLink(here.app, href, as(user, roles))
      : confirmLink(here.app, href, as(user, roles));
  /** What an account that is linked to nobody is offered. */
  const offered = async (): Promise<URL> => {
    await here.stage.db.query('DELETE FROM slack_identity WHERE user_id = $1', [alice.id]);
    await told(by(alice));
    return new URL(String(buttonsOf(here.slack.whispers.at(-1)?.blocks ?? [])[0]?.['url']));
  };

  it('works for whoever is asked by a grant for a queue alone, without a role', async () => {
    here.stage.reviewers.people.push({ personId: 'queenie', name: 'Queenie', queues: ['security'] });
    const link = await offered();
    expect(await page('GET', 'queenie', 'viewer', link)).toMatchObject({ status: 200 });
    expect(await page('POST', 'queenie', 'viewer', link)).toMatchObject({ status: 200 });
    expect(await linked()).toBe(true);
  });

  it('shows a viewer no button but why, and links nothing and uses nothing up when they post all the same', async () => {
    const link = await offered();
    const shown = await page('GET', 'victor', 'viewer', link);
    expect([shown.status, shown.body]).toEqual([403, expect.stringMatching(MAY_NOT)]);
    expect(shown.body).not.toContain('<form');
    const posted = await page('POST', 'victor', 'viewer', link);
    expect([posted.status, posted.body]).toEqual([403, expect.stringMatching(MAY_NOT)]);
    expect(await linked()).toBe(false);
    expect((await page('POST', 'alice', 'analyst', link)).status).toBe(200);
  });

  it('has the token out of its address at once, also for who signs in only then, and takes no form but its own', async () => {
    const link = await offered();
    const token = link.searchParams.get('token') ?? '';
    const first = await here.app.inject({
      method: 'GET',
      url: `${link.pathname}${link.search}`,
      headers: HOST,
    });
    expect([first.statusCode, first.headers.location]).toEqual([303, link.pathname]);
    expect(first.cookies).toMatchObject([
      { value: token, path: link.pathname, httpOnly: true, sameSite: 'Lax' },
    ]);
    const cookies = { [first.cookies[0]?.name ?? '']: token };
    const reload = async (headers: Record<string, string>) =>
      here.app.inject({ method: 'GET', url: link.pathname, headers, cookies });
    const unknown = await reload(HOST);
    expect([unknown.statusCode, unknown.headers.location]).toEqual([303, '/link-slack']);
    const shown = await reload(as('alice'));
    expect(shown.statusCode).toBe(200);
    expect(shown.body).not.toContain(token);
    expect((await confirmLink(here.app, link.href, as('alice'), 'guessed')).status).toBe(404);
    expect(await linked()).toBe(false);
    const [, csrf = ''] = /name="csrf" value="([^"]+)"/.exec(shown.body) ?? [];
    expect((await confirmLink(here.app, link.href, as('alice'), csrf)).status).toBe(200);
  });

  it('sends whoever is not signed in to one page of ours, whatever address they came by', async () => {
    const link = await offered();
    for (const url of ['?token=x', '?to=https://evil.example', '?token=a&token=b', '?next=//evil.example']) {
      const { statusCode, headers } = await here.app.inject({
        method: 'GET',
        url: `${link.pathname}${url}`,
        headers: HOST,
      });
      if (statusCode === 303) expect(headers.location).toBe('/link-slack');
    }
    const posted = await confirmLink(here.app, link.href, HOST);
    expect(posted.status).toBe(303);
    expect(await linked()).toBe(false);
  });

  it('uses up every open link of the account, and moves no account of somebody else', async () => {
    const older = await offered();
    const newer = await offered();
    expect((await confirmLink(here.app, newer.href, as('alice'))).status).toBe(200);
    expect((await confirmLink(here.app, older.href, as('bob'))).status).toBe(404);
    // One that was made meanwhile, as by a proposal.
    const third = await here.app
      .get(SlackIdentities, { strict: false })
      .linkUrl({ teamId: here.slack.teamId, userId: alice.id, userName: alice.name });
    const shown = await openLink(here.app, third, as('bob'));
    expect([shown.status, shown.body]).toEqual([409, expect.stringMatching(/unlink it first/)]);
    expect((await confirmLink(here.app, third, as('bob'))).status).toBe(409);
    const rows = await here.stage.db.query('SELECT person_id FROM slack_identity WHERE user_id = $1', [
      alice.id,
    ]);
    expect(rows).toEqual([{ person_id: 'alice' }]);
  });

  it('is won by one of two who follow two links of an account at the same moment', async () => {
    const links = [await offered(), await offered()];
    const answers = await Promise.all(
      links.map(({ href }, index) => confirmLink(here.app, href, as(index === 0 ? 'alice' : 'bob'))),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 404 || status === 409)).toHaveLength(1);
  });

  it('warns where Slack knows the account by another address than that of the person', async () => {
    const link = await offered();
    const shown = async (email: string) =>
      (await openLink(here.app, link.href, as('alice', 'analyst', { 'x-test-email': email }))).body;
    expect(await shown('Alice@example.com')).not.toMatch(/another e-mail address/);
    expect(await shown('carol@example.com')).toMatch(/another e-mail address/);
  });
});
