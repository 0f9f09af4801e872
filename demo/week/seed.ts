import type { ServiceProcess } from '../../test/support/service-process.js';
import type { FakeSlack } from '../../test/support/slack/fake-slack.js';
import { decideInChat, onTheWeb, upload } from './live.js';
import { MovedService } from './moved-service.js';
import { bind, hire, type Somebody } from './people.js';
import { questionsForYou, uploadsOf } from './uploads.js';

const DAY_MS = 86_400_000;
/** The day on which a question was left, as in every week. */
export const LEFT_LYING = 1;

/** Lives through a week, a day in seconds. @returns who tries the demonstration, with three questions open. */
export async function seedWeek(
  service: ServiceProcess,
  slack: FakeSlack,
  { days, say }: { readonly days: number; readonly say: (line: string) => void },
): Promise<Somebody> {
  say('A week of work is being lived through, a day every few seconds ...');
  const moved = await MovedService.start(service, -days * DAY_MS);
  slack.now = () => moved.now();
  await onlySecretsRequired(service);
  const people = await hire(service, slack);
  const [you, bob, carol] = people;
  if (you === undefined || bob === undefined || carol === undefined) throw new Error('nobody works here');
  for (let day = 0; day < days; day++) {
    if (day > 0) await moved.moveTo(-(days - day) * DAY_MS);
    const asked = await upload(moved, slack, uploadsOf(day));
    const [leak, malware] = asked;
    if (leak === undefined) throw new Error('nothing was found on this day');
    if (day === 0) for (const one of people) await bind(one, slack, leak.message);
    for (const { browser, login, password } of people) await browser.logIn({ name: login, password });
    await onTheWeb(carol, leak, 'comment', { text: `Asked the team that uploads ${leak.key}.` });
    if (day !== LEFT_LYING)
      await decideInChat(slack, leak, bob, day % 3 === 0 ? 'release' : 'delete', REASONS[day % 3] ?? '');
    if (malware !== undefined)
      await onTheWeb(carol, malware, 'decide', {
        outcome: 'delete',
        reason: 'The test file; nobody needs it.',
      });
    say(`  day ${day + 1} of ${days}: ${uploadsOf(day).length} uploads, ${asked.length} questions`);
  }
  await moved.moveTo(0);
  // One after the other, so that the first to answer stands last in the chat, where one looks.
  for (const question of questionsForYou().toReversed()) await upload(moved, slack, [question]);
  slack.now = () => Date.now();
  // From here on its clock is everybody's again.
  await service.stop();
  await service.start();
  return you;
}

const REASONS = [
  'Keys of a test account, revoked long ago.',
  'Live keys: rotated and removed.',
  'Copied by mistake.',
];

/** Without a malware engine on this machine nothing could be called clean; this bucket asks for the secrets alone. */
async function onlySecretsRequired(service: ServiceProcess): Promise<void> {
  const { items } = await service.api<{ items: { endpointId: string; bucket: string; version: number }[] }>(
    '/api/v1/buckets',
  );
  const uploads = items.find(({ bucket }) => bucket === 'uploads');
  if (uploads === undefined) throw new Error('there is no bucket uploads');
  await service.api(`/api/v1/buckets/${uploads.endpointId}/uploads`, {
    method: 'PATCH',
    body: { required: ['secrets'], version: uploads.version },
  });
}
