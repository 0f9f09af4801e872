import type { Target, TriggerRule, Upload } from './match.js';

/** Where a rule sends an upload: the same place each time that this object is asked about. */
export function targetOf(rule: TriggerRule, upload: Upload): Target {
  const { shares = [], workflowName, workflowVersion } = rule;
  if (shares.length > 0) {
    const place = placeOf(rule.name, upload);
    let end = 0;
    for (const share of shares) {
      end += share.percent;
      if (place < end)
        return share.workflowVersion === undefined
          ? { workflowName: share.workflowName }
          : { workflowName: share.workflowName, workflowVersion: share.workflowVersion };
    }
  }
  return workflowVersion === undefined ? { workflowName } : { workflowName, workflowVersion };
}

/** 0..99, spread evenly over objects; by the rule's name too, so that two rules do not try out on the same objects. */
export function placeOf(ruleName: string, { endpointId, bucket, key, versionId }: Upload): number {
  return hash(JSON.stringify([ruleName, endpointId ?? '', bucket, key, versionId ?? ''])) % 100;
}

/** FNV-1a with MurmurHash's last mix: even, the same everywhere, and no secret: it only chooses between trusted workflows. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    value = Math.imul(value ^ (unit & 0xff), 0x01000193);
    value = Math.imul(value ^ (unit >> 8), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
