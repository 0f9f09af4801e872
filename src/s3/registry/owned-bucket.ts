import type { Owned, OwnerRequest } from '../../access/principal.js';
import { Forbidden } from '../../errors.js';

/** What an owner settles about a bucket: what is done with what is in it, and who is asked. */
const OF_AN_OWNER: ReadonlySet<string> = new Set([
  'version',
  'actionMode',
  'required',
  'reviewers',
  'archivePasswords',
  'requesterPays',
  'enabled',
]);

/** @throws Forbidden for a field that reaches what is of others: their turn in the backlog, their buckets. */
export function changedBucket({ params, body }: OwnerRequest): readonly Owned[] {
  const fields = Object.keys(typeof body === 'object' && body !== null ? body : {});
  const refused = fields.find((field) => !OF_AN_OWNER.has(field));
  if (refused !== undefined)
    throw new Forbidden(`${refused}: an author or operator changes this, and no owner of the bucket.`);
  return [{ kind: 'bucket', name: `${String(params['endpointId'])}/${String(params['bucket'])}` }];
}
