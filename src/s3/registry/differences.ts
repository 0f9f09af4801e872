/** What of the shown fields differs, for the audit: `{ field: { from, to } }`. Versions and times are left out. */
export function differences(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): Record<string, { from: unknown; to: unknown }> {
  const fields = Object.keys(after).filter(
    (field) => !ALWAYS.has(field) && JSON.stringify(before[field]) !== JSON.stringify(after[field]),
  );
  return Object.fromEntries(fields.map((field) => [field, { from: before[field], to: after[field] }]));
}

const ALWAYS = new Set(['version', 'createdAt', 'updatedAt', 'updatedBy']);
