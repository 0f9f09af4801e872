import { Module } from '@nestjs/common';
import { TriggerRuleEntity } from './trigger-rule.entity.js';
import { TriggerRules } from './trigger-rules.js';

export const TRIGGER_ENTITIES = [TriggerRuleEntity] as const;

/** Which workflow an upload starts, and which uploads none. */
@Module({ providers: [TriggerRules], exports: [TriggerRules] })
export class TriggersModule {}
