import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only new tables.
export class CreateEngine1764000000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await definitions(db);
    await workflows(db);
    await tasks(db);
    await work(db);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of TABLES.toReversed()) await db.query(`DROP TABLE ${table}`);
  }
}

const TABLES = [
  'workflow_def',
  'task_def',
  'definition_snapshot',
  'workflow',
  'workflow_payload',
  'task',
  'workflow_timer',
  'workflow_inbox',
  'applied_command',
  'node',
  'poll_data',
  'task_log',
];

async function definitions(db: QueryRunner): Promise<void> {
  await db.query(`
    CREATE TABLE workflow_def (
      name text COLLATE "C" NOT NULL,
      version int NOT NULL,
      definition json NOT NULL,
      created_at bigint NOT NULL,
      updated_at bigint NOT NULL,
      PRIMARY KEY (name, version)
    )`);
  await db.query(`
    CREATE TABLE task_def (
      name text COLLATE "C" PRIMARY KEY,
      definition json NOT NULL,
      created_at bigint NOT NULL,
      updated_at bigint NOT NULL
    )`);
  // What running workflows were started with, once per distinct text instead of once per workflow.
  await db.query(`
    CREATE TABLE definition_snapshot (
      digest text COLLATE "C" PRIMARY KEY,
      definition json NOT NULL
    )`);
}

async function workflows(db: QueryRunner): Promise<void> {
  // Narrow and rewritten at every transition: the free space on each page keeps those updates on the page (HOT).
  await db.query(`
    CREATE TABLE workflow (
      id text COLLATE "C" PRIMARY KEY,
      name text COLLATE "C" NOT NULL,
      version int NOT NULL,
      status text COLLATE "C" NOT NULL,
      revision bigint NOT NULL,
      run_epoch int NOT NULL,
      priority smallint NOT NULL,
      correlation_id text COLLATE "C",
      idempotency_key text COLLATE "C",
      parent_workflow_id text COLLATE "C",
      parent_task_id text COLLATE "C",
      created_by text,
      created_at bigint NOT NULL,
      updated_at bigint NOT NULL,
      ended_at bigint,
      last_retried_at bigint,
      task_count int NOT NULL,
      open_task_count int NOT NULL,
      reason text,
      failed_references text[] NOT NULL
    ) WITH (fillfactor = 70)`);
  // Serves the executions list, newest first.
  await db.query(`CREATE INDEX workflow_created ON workflow (created_at DESC, id DESC)`);
  // Serves the list of one definition's runs.
  await db.query(`CREATE INDEX workflow_name_created ON workflow (name, created_at DESC, id DESC)`);
  // Serves "what is open, what went wrong": the completed rows, nearly all, are not in it.
  await db.query(
    `CREATE INDEX workflow_status_created ON workflow (status, created_at DESC, id DESC) WHERE status <> 'COMPLETED'`,
  );
  await db.query(
    `CREATE INDEX workflow_correlation ON workflow (correlation_id) WHERE correlation_id IS NOT NULL`,
  );
  // The same name and key start one workflow.
  await db.query(
    `CREATE UNIQUE INDEX workflow_idempotency ON workflow (name, idempotency_key) WHERE idempotency_key IS NOT NULL`,
  );
  await db.query(`
    CREATE TABLE workflow_payload (
      workflow_id text COLLATE "C" PRIMARY KEY,
      definition_digest text COLLATE "C" NOT NULL,
      input json NOT NULL,
      output json NOT NULL,
      variables json NOT NULL
    )`);
}

async function tasks(db: QueryRunner): Promise<void> {
  await db.query(`
    CREATE TABLE task (
      id text COLLATE "C" PRIMARY KEY,
      workflow_id text COLLATE "C" NOT NULL,
      changed_rev bigint NOT NULL,
      seq int NOT NULL,
      ref text COLLATE "C" NOT NULL,
      task_type text COLLATE "C" NOT NULL,
      task_def_name text COLLATE "C" NOT NULL,
      status text COLLATE "C" NOT NULL,
      retry_count int NOT NULL,
      retried_task_id text COLLATE "C",
      retried boolean NOT NULL,
      executed boolean NOT NULL,
      iteration int NOT NULL,
      poll_count int NOT NULL,
      worker_id text,
      scheduled_at bigint NOT NULL,
      started_at bigint,
      updated_at bigint NOT NULL,
      ended_at bigint,
      first_scheduled_at bigint NOT NULL,
      callback_after_seconds double precision NOT NULL,
      reason text,
      queued boolean NOT NULL,
      due_at bigint NOT NULL,
      due boolean NOT NULL,
      priority smallint NOT NULL,
      fair_tag bigint NOT NULL,
      lease_owner text COLLATE "C",
      lease_until bigint,
      response_timeout_ms bigint NOT NULL,
      execution_timeout_ms bigint NOT NULL,
      input json NOT NULL,
      output json NOT NULL,
      step json
    ) WITH (fillfactor = 85)`);
  // Serves the load of a workflow and of what changed since a revision.
  await db.query(`CREATE INDEX task_changed ON task (workflow_id, changed_rev)`);
  // Serves the claim: the due tasks of one type in the order in which they are handed out, and nothing else.
  await db.query(
    `CREATE INDEX task_due ON task (task_type, priority DESC, fair_tag, seq) WHERE queued AND due`,
  );
  // Serves the promotion of delayed tasks.
  await db.query(`CREATE INDEX task_delayed ON task (due_at) WHERE queued AND NOT due`);
  // Serves the release of a dead node's leases.
  await db.query(`CREATE INDEX task_lease ON task (lease_owner) WHERE lease_owner IS NOT NULL`);
  await db.query(`
    CREATE TABLE task_log (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      task_id text COLLATE "C" NOT NULL,
      created_at bigint NOT NULL,
      line text NOT NULL
    )`);
  await db.query(`CREATE INDEX task_log_task ON task_log (task_id, id)`);
}

async function work(db: QueryRunner): Promise<void> {
  await db.query(`
    CREATE TABLE workflow_timer (
      workflow_id text COLLATE "C" PRIMARY KEY,
      due_at bigint NOT NULL,
      claimed_by text COLLATE "C"
    ) WITH (fillfactor = 70)`);
  await db.query(`CREATE INDEX workflow_timer_due ON workflow_timer (due_at) WHERE claimed_by IS NULL`);
  await db.query(
    `CREATE INDEX workflow_timer_claimed ON workflow_timer (claimed_by) WHERE claimed_by IS NOT NULL`,
  );
  await db.query(`
    CREATE TABLE workflow_inbox (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      kind text NOT NULL,
      source_workflow_id text COLLATE "C" NOT NULL,
      source_task_id text COLLATE "C" NOT NULL,
      target_workflow_id text COLLATE "C" NOT NULL,
      effect json NOT NULL,
      created_at bigint NOT NULL,
      due_at bigint NOT NULL,
      attempts int NOT NULL,
      claimed_by text COLLATE "C",
      problem text,
      abandoned boolean NOT NULL DEFAULT false,
      UNIQUE (source_workflow_id, source_task_id, kind, target_workflow_id)
    )`);
  await db.query(
    `CREATE INDEX workflow_inbox_due ON workflow_inbox (due_at) WHERE claimed_by IS NULL AND NOT abandoned`,
  );
  await db.query(
    `CREATE INDEX workflow_inbox_claimed ON workflow_inbox (claimed_by) WHERE claimed_by IS NOT NULL`,
  );
  await db.query(`
    CREATE TABLE applied_command (
      workflow_id text COLLATE "C" NOT NULL,
      command_id text COLLATE "C" NOT NULL,
      at bigint NOT NULL,
      PRIMARY KEY (workflow_id, command_id)
    )`);
  // Serves the pruning of old rows: they are inserted in the order of time.
  await db.query(`CREATE INDEX applied_command_at ON applied_command USING brin (at)`);
  await db.query(`
    CREATE TABLE node (
      incarnation text COLLATE "C" PRIMARY KEY,
      home_id text COLLATE "C" NOT NULL,
      host text NOT NULL,
      pid int NOT NULL,
      roles text[] NOT NULL,
      started_at bigint NOT NULL,
      heartbeat_at bigint NOT NULL
    )`);
  await db.query(`
    CREATE TABLE poll_data (
      queue_name text COLLATE "C" NOT NULL,
      worker_id text COLLATE "C" NOT NULL,
      domain text COLLATE "C" NOT NULL,
      last_poll_at bigint NOT NULL,
      PRIMARY KEY (queue_name, domain, worker_id)
    )`);
}
