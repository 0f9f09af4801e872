import { randomBytes } from 'node:crypto';
import { FormBrowser, hiddenFields } from '../../test/support/form-browser.js';
import { eventually } from '../../test/support/eventually.js';
import type { ServiceProcess } from '../../test/support/service-process.js';
import { buttonsOf, type FakeMessage, type FakeSlack } from '../../test/support/slack/fake-slack.js';
import { whileConnected } from './while-connected.js';

/** Somebody of the seeded week: an account of the service, and one of the stand-in chat that is bound to it. */
export interface Somebody {
  readonly login: string;
  readonly name: string;
  readonly email: string;
  readonly password: string;
  readonly slack: { readonly id: string; readonly name: string };
  readonly browser: FormBrowser;
}

/** The first is whoever tries the demonstration. */
const CAST = [
  { login: 'alice', name: 'Alice', roles: ['admin', 'approver'] },
  { login: 'bob', name: 'Bob', roles: ['analyst', 'approver'] },
  { login: 'carol', name: 'Carol', roles: ['analyst'] },
] as const;

/** Makes the accounts. */
export async function hire(service: ServiceProcess, slack: FakeSlack): Promise<readonly Somebody[]> {
  const people: Somebody[] = [];
  for (const { login, name, roles } of CAST) {
    const password = `${login}-${randomBytes(6).toString('hex')}`;
    const email = `${login}@example.com`;
    await service.api('/api/v1/users', {
      method: 'POST',
      body: { name: login, displayName: name, email, roles, password },
    });
    const id = `U0${login.toUpperCase()}`;
    slack.addUser({ id, name: login, realName: name, email });
    const browser = new FormBrowser(service.url);
    people.push({ login, name, email, password, slack: { id, name: login }, browser });
  }
  return people;
}

/** Binds the chat account as a person does: the first click is answered with a link, which is opened while signed in. */
export async function bind(
  { login, password, browser, slack: account }: Somebody,
  slack: FakeSlack,
  message: FakeMessage,
): Promise<void> {
  const before = slack.whispers.length;
  await whileConnected(slack, () => slack.click(message, 'review.claim', account));
  const whisper = await eventually(
    () => slack.whispers.slice(before).find(({ user }) => user === account.id),
    { timeoutMs: 15_000, what: `the link for ${login}` },
  );
  const link = new URL(String(buttonsOf(whisper.blocks)[0]?.['url']));
  await browser.logIn({ name: login, password });
  // The first answer takes the token out of the address.
  const { location } = await browser.get(link.pathname + link.search);
  const { html } = await browser.get(location);
  const { status } = await browser.post(link.pathname, hiddenFields(html));
  if (status !== 200) throw new Error(`the chat account of ${login} could not be bound: ${status}`);
}
