import { Injectable } from '@nestjs/common';
import { BrokenSlack } from '../delivery/broken-slack.js';
import { SlackAccess } from '../setup/slack-access.js';
import { WORKSPACE } from '../sql/broken.js';

/** What does not work in Slack just now, for those who look into their Home tab there. */
@Injectable()
export class HomeTroubles {
  constructor(
    private readonly access: SlackAccess,
    private readonly broken: BrokenSlack,
  ) {}

  async now(): Promise<readonly string[]> {
    if (!this.access.isOn)
      return ['No channel is set up for reviews: they are told by mail and on the web, and stand here.'];
    return (await this.broken.broken()).map(({ place }) =>
      place === WORKSPACE
        ? 'Slack takes no messages from Sallyport now: reviews are told by mail and on the web, and stand here.'
        : `The channel ${place} takes no messages now: its reviews are told by mail and on the web, and stand here.`,
    );
  }
}
