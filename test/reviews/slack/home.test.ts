import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { buttonsOf, textOf, type FakeUser } from '../../support/slack/fake-slack.js';
import { person } from '../stage.js';
import { alice, answeringStage, bob, type AnsweringStage } from './answering-stage.js';

describe('App Home', () => {
  let stage: AnsweringStage;
  beforeEach(async () => {
    stage = await answeringStage();
  });
  afterEach(() => stage.end());

  const shown = (user: FakeUser): string => textOf(stage.slack.homes.get(user.id)?.['blocks']);
  const blocksOf = (user: FakeUser) =>
    (stage.slack.homes.get(user.id)?.['blocks'] ?? []) as Record<string, unknown>[];
  const opened = async (user: FakeUser): Promise<string> => {
    await stage.slack.openHome(user);
    await eventually(() => stage.slack.homes.has(user.id), { what: 'a Home tab' });
    return shown(user);
  };
  const short = (id: string) => id.slice(0, 8);
  const publishes = () => stage.slack.calls.filter(({ method }) => method === 'views.publish').length;

  it('lists what is somebody’s and what asks them, what is due first, with everything to answer it', async () => {
    const later = await stage.ask({ deadline: '2d' });
    const soon = await stage.ask({ deadline: '4h' });
    const never = await stage.ask();
    const others = await stage.ask({ assign: { to: ['user:bob'] } });
    const text = await opened(alice);
    expect(text).toContain('4 waiting, 4 of them with nobody, 0 overdue');
    const places = [soon, later, never].map(({ id }) => text.indexOf(short(id)));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
    expect(text).not.toContain(short(others.id));
    const ofOne = ['Release', 'Delete', 'Claim', 'More…', 'Open'];
    expect(buttonsOf(blocksOf(alice)).map((button) => textOf(button))).toEqual(
      ['Open the web inbox'].concat(ofOne, ofOne, ofOne),
    );
  });

  it('claims and decides, and shows at once what came of it', async () => {
    const { id } = await stage.ask();
    await opened(alice);
    await stage.slack.clickHome('review.claim', alice);
    await eventually(() => shown(alice).includes('claimed by Alice'));
    expect(await stage.modal(alice)).toContain('It is yours now');
    await stage.slack.closeView(alice);
    await stage.slack.clickHome('review.decide:release', alice);
    expect(await stage.modal(alice)).toContain('AKIA************');
    await stage.slack.submit(alice, { reason: { text: 'our own test file' } });
    expect((await stage.review(id)).decision).toMatchObject({ outcome: 'release', by: { id: 'alice' } });
    await eventually(() => shown(alice).includes('Nothing waits here'));
  });

  it('changes when somebody else decides, once for many changes, and not when nothing changed for its reader', async () => {
    const all = [await stage.ask(), await stage.ask(), await stage.ask()];
    await opened(alice);
    // Of the openings.
    await eventually(() => shown(alice).includes('3 waiting'));
    const before = publishes();
    for (const { id, message } of all) {
      await stage.slack.click(message, 'review.decide:delete', bob);
      await stage.modal(bob);
      await stage.slack.submit(bob, {});
      expect((await stage.review(id)).state).toBe('COMPLETED');
    }
    await eventually(() => shown(alice).includes('Nothing waits here'));
    expect(publishes() - before).toBeLessThanOrEqual(3);
  });

  it('shows what its reader chooses, and remembers it', async () => {
    stage.reviewers.people = stage.reviewers.people.map((one) =>
      one.personId === 'alice' ? { ...one, groups: ['secops'] } : one,
    );
    const mine = await stage.ask();
    const groups = await stage.ask({ assign: { to: ['group:secops'] } });
    await opened(alice);
    expect(shown(alice)).not.toContain(short(groups.id));
    await stage.slack.selectHome('review.home.filter', 'groups', alice);
    await eventually(() => shown(alice).includes(short(groups.id)));
    await stage.slack.clickHome(
      'review.claim',
      alice,
      `${mine.id}.${(await stage.review(mine.id)).subjectDigest}`,
    );
    await stage.slack.selectHome('review.home.filter', 'unassigned', alice);
    await eventually(() => !shown(alice).includes(short(mine.id)));
    stage.slack.homes.delete(alice.id);
    expect(await opened(alice)).not.toContain(short(mine.id));
    await stage.slack.selectHome('review.home.filter', 'mine', alice);
    await eventually(() => shown(alice).includes(short(mine.id)));
    await stage.slack.selectHome('review.home.filter', 'breached', alice);
    await eventually(() => shown(alice).includes('Nothing waits here'));
  });

  it('of an account that nobody linked has the way to link it, and nothing of any review', async () => {
    const { id } = await stage.ask();
    const carol = { id: 'U0CAROL', name: 'carol' };
    const text = await opened(carol);
    expect(text).toContain('not linked');
    expect(text).not.toContain(short(id));
    await stage.slack.clickHome('review.home.link', carol);
    await stage.modal(carol);
    const link = buttonsOf(
      (stage.slack.views.get(carol.id)?.['blocks'] ?? []) as Record<string, unknown>[],
    )[0];
    expect(link?.['url']).toMatch(/\/api\/v1\/slack\/link\?token=/);
    stage.reviewers.people = [...stage.reviewers.people, { personId: 'carol', name: 'Carol' }];
    await stage.bind(carol, 'carol');
    await stage.slack.clickHome('review.home.link', carol);
    await eventually(() => shown(carol).includes(short(id)));
  });

  it('keeps to the queues of its reader', async () => {
    stage.reviewers.people = [
      { personId: 'alice', name: 'Alice', queues: ['legal'] },
      ...stage.reviewers.people.slice(1),
    ];
    const other = await stage.ask();
    const legal = await stage.ask({ queue: 'legal' });
    const text = await opened(alice);
    expect(text).toContain(short(legal.id));
    expect(text).not.toContain(short(other.id));
    expect(text).toContain('1 waiting');
  });

  it('says where reviews are not told in Slack now', async () => {
    await stage.db.query('INSERT INTO slack_broken (place, since, reason) VALUES ($1, 1, $2)', [
      'C0REVIEWS',
      'is_archived',
    ]);
    expect(await opened(alice)).toContain('The channel C0REVIEWS takes no messages now');
  });

  it('has room for twenty and says that there are more', async () => {
    for (let n = 0; n < 22; n++) await stage.open({ outcomes: ['a', 'b', 'c', 'd', 'e'], deadline: '4h' });
    expect(await opened(alice)).toContain('There are more');
    expect(blocksOf(alice).filter(({ type }) => type === 'section')).toHaveLength(20);
  });

  it('never shows an older state over a newer, and gets over a mark that Slack no longer knows', async () => {
    const { id } = await stage.ask();
    await opened(alice);
    stage.slack.script(
      'views.publish',
      { kind: 'error', error: 'hash_conflict' },
      { kind: 'error', error: 'hash_conflict' },
    );
    await stage.slack.clickHome('review.claim', alice);
    await eventually(() => shown(alice).includes('claimed by Alice'));
    const last = stage.slack.calls.filter(({ method }) => method === 'views.publish').at(-1);
    expect(last?.args).not.toHaveProperty('hash');
    await stage.reviews.act(id, { kind: 'release' }, person('alice'));
    stage.slack.script('views.publish', { kind: 'status', status: 503 });
    await stage.slack.selectHome('review.home.filter', 'unassigned', alice);
    await opened(alice);
    await eventually(() => shown(alice).includes(short(id)));
  });
});
