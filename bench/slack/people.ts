import { randomBytes } from 'node:crypto';
import { eventually } from '../../test/support/eventually.js';
import type { ServiceProcess } from '../../test/support/service-process.js';
import { buttonsOf, type FakeSlack, type FakeUser } from '../../test/support/slack/fake-slack.js';

/** People with accounts here and in Slack, linked as people link them: by a click, and a form while signed in. */
export async function linkPeople(
  service: ServiceProcess,
  slack: FakeSlack,
  count: number,
): Promise<readonly FakeUser[]> {
  const people: FakeUser[] = [];
  for (let number = 1; number <= count; number++) {
    const user = { id: `U0BENCH${number}`, name: `bench.${number}` };
    slack.addUser(user);
    const password = randomBytes(18).toString('base64url');
    const login = `bench${number}`;
    await service.api('/api/v1/users', {
      method: 'POST',
      body: { name: login, password, roles: ['analyst'] },
    });
    await link(service, slack, user, await signIn(service, login, password));
    people.push(user);
  }
  return people;
}

async function signIn(service: ServiceProcess, name: string, password: string): Promise<string> {
  const response = await fetch(`${service.url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, password }),
  });
  const cookie = response.headers.getSetCookie()[0]?.split(';')[0];
  if (cookie === undefined) throw new Error(`${name} could not sign in: ${response.status}`);
  return cookie;
}

async function link(
  service: ServiceProcess,
  slack: FakeSlack,
  user: FakeUser,
  cookie: string,
): Promise<void> {
  const before = slack.whispers.length;
  await slack.slash('/sallyport', 'help', user);
  const answer = await eventually(() => slack.whispers[before], { what: 'the invitation to link' });
  const address = buttonsOf(answer.blocks).find(({ url }) => typeof url === 'string')?.['url'];
  const token = new URL(String(address)).searchParams.get('token') ?? '';
  const cookies = `${cookie}; sallyport_slack_link=${token}`;
  const page = await fetch(`${service.url}/api/v1/slack/link`, { headers: { cookie: cookies } });
  const csrf = /name="csrf" value="([^"]+)"/.exec(await page.text())?.[1] ?? '';
  const response = await fetch(`${service.url}/api/v1/slack/link`, {
    method: 'POST',
    headers: { cookie: cookies, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ csrf }).toString(),
  });
  if (!response.ok) throw new Error(`${user.name} could not be linked: ${response.status}`);
}
