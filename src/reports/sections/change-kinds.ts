/** What a change is about, as the report counts changes. */
export const CHANGE_KINDS = [
  'definitions',
  'rules',
  'policies',
  'access',
  'integrations',
  'queues',
  'retention',
  'record',
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/**
 * Kinds by the family of an action, or by the whole action, which comes first: `null` for one of its family that changes
 * nothing that lasts. A family that is not here changes nothing: what happens to objects, scans, workflows and reviews is
 * told in the sections about them.
 */
const KINDS: Readonly<Record<string, ChangeKind | null>> = {
  workflow_definition: 'definitions',
  task_definition: 'definitions',
  trigger: 'definitions',
  schedule: 'definitions',
  form_template: 'definitions',
  baseline: 'rules',
  exception: 'rules',
  'exception.warned': null,
  uploader_identity: 'rules',
  calendar: 'policies',
  bucket: 'policies',
  absence: 'policies',
  review_view: 'policies',
  user: 'access',
  apikey: 'access',
  grant: 'access',
  group: 'access',
  access: 'access',
  endpoint: 'integrations',
  // Shown is as good as given away.
  'endpoint.events_token_shown': 'access',
  webhook: 'integrations',
  'webhook.tested': null,
  'webhook.replayed': null,
  slack: 'integrations',
  'slack.probed': null,
  'slack.proposed': null,
  'slack.channel_joined': null,
  'slack.linked': 'access',
  'slack.unlinked': 'access',
  mail: 'integrations',
  sns: 'integrations',
  queue: 'queues',
  retention: 'retention',
  'workflow.held': 'retention',
  'workflow.released': 'retention',
  'workflow.removed': 'retention',
  legal_hold: 'retention',
  'audit.erased': 'record',
  backup: 'record',
  restore: 'record',
};

/** The kind of change that an action of the audit record is; `undefined` where it changes nothing that lasts. */
export function changeKindOf(action: string): ChangeKind | undefined {
  const whole = Object.hasOwn(KINDS, action) ? KINDS[action] : undefined;
  if (whole !== undefined) return whole ?? undefined;
  const family = action.slice(0, Math.max(0, action.indexOf('.')));
  return (Object.hasOwn(KINDS, family) ? KINDS[family] : undefined) ?? undefined;
}

/** The families in which there may be changes: a query leaves out the others, which are most of the record. */
export const CHANGING_FAMILIES: readonly string[] = [
  ...new Set(Object.keys(KINDS).map((name) => name.split('.')[0] ?? name)),
];
