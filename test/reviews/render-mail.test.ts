import { expect, it } from 'vitest';
import { subjectOf } from '../../src/reviews/channels/mail/render-mail.js';

it('names in a subject what is asked about, once', () => {
  expect(subjectOf('Secrets found', 'deploy/settings.ini')).toBe(
    '[Sallyport] Secrets found: deploy/settings[.]ini',
  );
  expect(subjectOf('Open the firewall?', 'Open the firewall?')).toBe('[Sallyport] Open the firewall?');
  expect(subjectOf('Is it real? A key in b/a.txt', 'a.txt')).toBe(
    '[Sallyport] Is it real? A key in b/a[.]txt',
  );
});
