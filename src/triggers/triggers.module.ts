import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { S3Module } from '../s3/s3.module.js';
import { VerdictsModule } from '../verdicts/verdicts.module.js';
import { TriggerRuleEntity } from './trigger-rule.entity.js';
import { TriggerRules } from './trigger-rules.js';
import { TriggerTest } from './trigger-test.js';
import { TriggersController } from './triggers.controller.js';
import { TriggersLife } from './triggers-life.js';
import { Triggers } from './triggers.service.js';

export const TRIGGER_ENTITIES = [TriggerRuleEntity] as const;

/** Which workflow an upload starts, and which uploads none: what the intake asks. */
@Module({ providers: [TriggerRules], exports: [TriggerRules] })
export class TriggersModule {}

/** How the rules are changed and tried out, and how they decide what the intake could not. */
@Module({})
export class TriggersServiceModule {
  /** `imports` bring the Engine's Metadata, and the backlog that the service runs. */
  static with(parts: { readonly imports: NonNullable<ModuleMetadata['imports']> }): DynamicModule {
    return {
      module: TriggersServiceModule,
      imports: [...parts.imports, TriggersModule, S3Module, VerdictsModule],
      controllers: [TriggersController],
      providers: [Triggers, TriggerTest, TriggersLife],
      exports: [Triggers],
    };
  }
}
