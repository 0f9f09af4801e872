import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { BucketSettings, type BucketPlace } from '../../s3/bucket-settings.js';
import { StorageError } from '../../s3/storage-error.js';
import { OWN_TAGS, RELEASED_TAG, verdictTags } from '../../tasks/object/verdict-tags.js';
import { bucketPolicy, limitsOf } from './bucket-policy.js';
import { ConnectTargets } from './connect-targets.js';
import type { BucketPolicyView } from './connect-view.js';
import { cleanFor, REQUIRED_ENGINES, type RequiredEngine, type Verdict } from '../../verdicts/verdict.js';
import { readPolicy } from './policy-document.js';
import { isSame } from './queue-settings.js';

/**
 * The tags that say released, and clean by what the bucket requires or more, and every key that only the service may write,
 * also from before a change of style.
 */
export function verdictKeys(
  style: Config['VERDICT_TAG_STYLE'],
  required: readonly RequiredEngine[] = REQUIRED_ENGINES,
) {
  const [key = '', word = ''] = tagOf('clean', style);
  const [, own = word] = tagOf(cleanFor(required), style);
  // In GuardDuty's words what was looked at for secrets alone has the tag of what could not be looked at.
  const isAmbiguous = own === tagOf('incomplete', style)[1];
  const clean = [...new Set([word, ...(isAmbiguous ? [] : [own])])];
  return {
    verdict: { key, clean },
    isNeverClean: isAmbiguous,
    released: RELEASED_TAG,
    reservedKeys: [...new Set([key, ...OWN_TAGS])],
  };
}

const tagOf = (verdict: Verdict, style: Config['VERDICT_TAG_STYLE']) =>
  Object.entries(verdictTags(verdict, 0, style) ?? {})[0] ?? [];

/** Writes out the policy that keeps readers from what is not clean. It is applied by whoever owns the bucket. */
@Injectable()
export class BucketPolicyService {
  constructor(
    private readonly targets: ConnectTargets,
    private readonly settings: BucketSettings,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws InvalidInput when no scanner is known, or what is there cannot be read. */
  async write(
    place: BucketPlace,
    wish: {
      readonly scanners: readonly string[];
      readonly breakGlass: readonly string[];
      readonly othersMayTag: boolean;
    },
  ): Promise<BucketPolicyView> {
    const { required } = this.targets.policyOf(place);
    const role = this.targets.roleOf(place);
    const scanners = wish.scanners.length > 0 || role === undefined ? wish.scanners : [role];
    const { text, notes } = await this.present(place);
    const present = readPolicy(text, "The bucket's policy");
    const full = {
      ...wish,
      ...verdictKeys(this.config.VERDICT_TAG_STYLE, required),
      scanners,
      bucket: place.bucket,
      region: this.targets.regionOf(place),
    };
    const policy = bucketPolicy(present, full);
    return {
      policy: { ...policy },
      differs: !isSame(present, policy),
      limits: [...limitsOf(full)],
      notes,
    };
  }

  /** A server that hides its policy, or has none, is answered with ours alone; that is said. */
  private async present(place: BucketPlace): Promise<{ text: string | undefined; notes: string[] }> {
    try {
      return { text: await this.settings.policy(place), notes: [] };
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      const why = `What is there could not be read (${error.detail.slice(0, 200)}): merge this into it yourself before you replace it.`;
      return { text: undefined, notes: [why] };
    }
  }
}
