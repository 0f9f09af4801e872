import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock, type Instant } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import { LOG, type Log } from '../../ops/log.js';
import { Recurring } from '../../recurring.js';
import { EngineVersions, type EngineVersion } from '../../tasks/scan/engine-versions.js';
import { CLEAN_VERDICTS } from '../../verdicts/verdict.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import { ListingRuns } from './runs.service.js';
import { hasLeftIncomplete, howKnown, noteEngine } from './sql/engines.js';
import { hasOpenRun } from './sql/runs.js';

const LOOK_EVERY_MS = 30_000;
const DAY_MS = 86_400_000;
const ACTOR = 'system:listing';
const CAME_BACK = 'the malware engine is there';
/** Reasons of verdicts that only want an engine; see `judge`. */
const WANTING_ENGINE = ['malware_engine_missing', 'malware_database_unknown'];

/**
 * Begins a rescan when an engine knows more than it did: of what is clean and young when a signature database or the rule
 * pack is new, of what is incomplete for want of an engine when the engine is there. Runs where scans run, because only
 * there the engines are seen; each change is acted on once over all nodes.
 */
@Injectable()
export class EngineWatch implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly looks: Recurring;
  /** Since when this process sees a malware engine that it trusts. */
  private trustedSince: Instant | undefined;
  /** What came before that was looked for. */
  private isLeftLookedFor = false;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly engines: EngineVersions,
    private readonly runs: ListingRuns,
    @Inject(LOG) log: Log,
    @Inject(CONFIG) private readonly config: Pick<Config, 'ROLES' | 'RESCAN_CLEAN_DAYS'>,
  ) {
    this.looks = new Recurring({
      clock,
      log,
      everyMs: LOOK_EVERY_MS,
      onFailure: 'changes of the engines could not be looked for',
      turn: () => this.look(),
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.ROLES.includes('worker')) this.looks.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.looks.stop();
  }

  /** One look. */
  async look(): Promise<void> {
    const engines = this.engines.current();
    for (const engine of engines) if (engine.isTrusted) await this.compare(engine);
    const malware = engines.find(({ engine }) => engine === 'clamd');
    await this.catchUp(malware?.isTrusted === true);
  }

  private async compare(engine: EngineVersion): Promise<void> {
    const at = wholeMilliseconds(this.clock);
    const known = await howKnown(this.database, engine);
    if (known === 'known') return;
    const days = this.config.RESCAN_CLEAN_DAYS;
    if (known === 'changed' && days > 0) {
      // Before it is noted: a crash between the two begins the same run again, which is one.
      await this.runs.rescan(
        { options: { verdicts: CLEAN_VERDICTS, seenAfter: at - days * DAY_MS, judgedBefore: at } },
        {
          actor: ACTOR,
          cause: `${engine.engine} ${engine.database}`.slice(0, 200),
          onceKey: `engine:${engine.engine}:${engine.database}`,
        },
      );
    }
    await noteEngine(this.database, engine, at);
  }

  private async catchUp(isTrusted: boolean): Promise<void> {
    if (!isTrusted) {
      this.trustedSince = undefined;
      return;
    }
    if (this.trustedSince === undefined) {
      this.trustedSince = wholeMilliseconds(this.clock);
      this.isLeftLookedFor = false;
    }
    if (this.isLeftLookedFor) return;
    const judgedBefore = this.trustedSince;
    if (
      !(await hasOpenRun(this.database, CAME_BACK)) &&
      (await hasLeftIncomplete(this.database, WANTING_ENGINE, judgedBefore))
    ) {
      const options = { verdicts: ['incomplete' as const], reasons: WANTING_ENGINE, judgedBefore };
      await this.runs.rescan({ options }, { actor: ACTOR, cause: CAME_BACK });
    }
    this.isLeftLookedFor = true;
  }
}
