import type { MigrationInterface, QueryRunner } from 'typeorm';

// What the first release left unnamed, as PostgreSQL names it.
const NARROW = ['review_state_check', 'review_check', 'review_check1', 'review_check2'];

/*
 * More states than open, claimed, completed and cancelled. Workers may stay up: a CHECK that goes forbids nothing any more,
 * and what the version before writes keeps the new ones.
 */
export class WidenReviewStates1766200001000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE review
        DROP CONSTRAINT IF EXISTS review_state_check, DROP CONSTRAINT IF EXISTS review_check,
        DROP CONSTRAINT IF EXISTS review_check1, DROP CONSTRAINT IF EXISTS review_check2`);
    for (const [name, rule] of [
      [
        'review_states_check',
        `state IN ('OPEN', 'ASSIGNED', 'CLAIMED', 'ON_HOLD', 'INFO_REQUESTED',
                   'COMPLETED', 'EXPIRED', 'SKIPPED', 'CANCELLED')`,
      ],
      ['review_held_check', `state NOT IN ('ASSIGNED', 'CLAIMED') OR claimed_by IS NOT NULL`],
      [
        'review_left_check',
        `claimed_by IS NULL OR state NOT IN ('OPEN', 'COMPLETED', 'EXPIRED', 'SKIPPED', 'CANCELLED')`,
      ],
      ['review_decided_check', `(state IN ('COMPLETED', 'EXPIRED', 'SKIPPED')) = (outcome IS NOT NULL)`],
      ['review_cancelled_check', `(state = 'CANCELLED') = (cancelled_at IS NOT NULL)`],
    ])
      await db.query(`ALTER TABLE review ADD CONSTRAINT ${name} CHECK (${rule}) NOT VALID`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const name of ['states', 'held', 'left', 'decided', 'cancelled'])
      await db.query(`ALTER TABLE review DROP CONSTRAINT review_${name}_check`);
    await db.query(
      `UPDATE review SET state = CASE WHEN claimed_by IS NULL THEN 'OPEN' ELSE 'CLAIMED' END
       WHERE state IN ('ASSIGNED', 'ON_HOLD', 'INFO_REQUESTED')`,
    );
    await db.query(`UPDATE review SET state = 'COMPLETED' WHERE state IN ('EXPIRED', 'SKIPPED')`);
    const rules = [
      `state IN ('OPEN', 'CLAIMED', 'COMPLETED', 'CANCELLED')`,
      `(state = 'CLAIMED') = (claimed_by IS NOT NULL)`,
      `(state = 'COMPLETED') = (outcome IS NOT NULL)`,
      `(state = 'CANCELLED') = (cancelled_at IS NOT NULL)`,
    ];
    for (const [index, name] of NARROW.entries())
      await db.query(`ALTER TABLE review ADD CONSTRAINT ${name} CHECK (${rules[index]})`);
  }
}
