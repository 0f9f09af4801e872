import type { Refused, SlackHome } from './handled.js';
import type { EventCallback, Interaction, SlashCommand } from './payloads.js';

/** From where something comes, as far as it says so. */
export interface Origin {
  /** Workspaces that it names; it is ours when one of them is. */
  readonly teams: readonly (string | null | undefined)[];
  readonly enterprise: string | null | undefined;
  readonly app: string | undefined;
}

/**
 * Somebody of another workspace who clicks in a shared channel (Slack Connect) is let through here: the message or the
 * modal is ours, and who may answer is looked at where the person is.
 */
export const originOfInteraction = (interaction: Interaction): Origin => ({
  teams: [
    interaction.team?.id,
    interaction.view?.app_installed_team_id,
    interaction.type === 'block_actions' ? interaction.message?.team : undefined,
  ],
  enterprise: interaction.enterprise?.id,
  app: interaction.api_app_id,
});

export const originOfCommand = (command: SlashCommand): Origin => ({
  teams: [command.team_id],
  enterprise: command.enterprise_id,
  app: command.api_app_id,
});

export const originOfEvent = ({
  team_id,
  enterprise_id,
  authorizations,
  api_app_id,
}: EventCallback): Origin => ({
  teams: authorizations?.length ? authorizations.map((installed) => installed.team_id) : [team_id],
  enterprise: enterprise_id,
  app: api_app_id,
});

/** Why something is not for us; `undefined` when it is. An app that Slack never told us the id of is taken for ours. */
export function foreignness({ teams, enterprise, app }: Origin, home: SlackHome): Refused | undefined {
  if (app !== undefined && home.appId !== undefined && app !== home.appId) return 'foreign_app';
  const named = teams.filter((team) => typeof team === 'string');
  if (named.includes(home.teamId)) return undefined;
  // An app of a whole organisation is told no workspace.
  const isOfOurOrganisation =
    named.length === 0 && home.enterpriseId !== undefined && enterprise === home.enterpriseId;
  return isOfOurOrganisation ? undefined : 'foreign_team';
}
