import { Counter, Gauge, type Registry } from 'prom-client';
import type { Database } from '../../database/database.js';
import type { EngineRuntime } from '../runtime/engine-runtime.js';

type Tell = (name: string, help: string, value: () => number) => void;
type Count = (
  name: string,
  help: string,
  label: string,
  values: () => Readonly<Record<string, number>>,
) => void;

/** What this process knows of itself, read when somebody asks. */
export function addProcessGauges(registry: Registry, runtime: EngineRuntime, database: Database): void {
  const tell: Tell = (name, help, value) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  const count: Count = (name, help, label, values) =>
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [word, value] of Object.entries(values())) this.inc({ [label]: word }, value);
      },
    });
  tellLoad(runtime, tell);
  countTrouble(runtime, count);
  countWork(runtime, count);
  tellConnections(registry, runtime, database);
}

function tellLoad(runtime: EngineRuntime, tell: Tell): void {
  const { committer, cache, polls, inbox, evaluations } = runtime;
  tell(
    'sallyport_committer_queue_entries',
    'Requests that wait for their commit or are in it',
    () => committer.depth.count,
  );
  tell('sallyport_committer_queue_bytes', 'Bytes of those requests', () => committer.depth.bytes);
  tell('sallyport_task_runs', 'Tasks that run in workers of this process', () => runtime.running);
  tell('sallyport_polls_waiting', 'Long polls that wait for a task', () => polls.waitingCount);
  tell('sallyport_inbox_held', 'Effects on other workflows under way here', () => inbox.facts.held);
  tell('sallyport_scripts_waiting', 'Scripts that wait or run', () => evaluations.facts.underWay);
  tell('sallyport_workflow_cache_bytes', 'Bytes of the workflows kept in memory', () => cache.sizeBytes);
}

function countTrouble({ tally }: EngineRuntime, count: Count): void {
  count('sallyport_refused_total', 'Calls that the full queue turned away', 'call', () => ({
    start: tally.refusedStarts,
    update: tally.refusedUpdates,
  }));
  count(
    'sallyport_task_leases_lost_total',
    'Leases of this process without a run, or the other way round',
    'cause',
    () => ({ taken: tally.lostRuns, forgotten: tally.forgottenLeases }),
  );
  count('sallyport_task_reports_late_total', 'Reports that came too late to count', 'source', () => ({
    worker: tally.lateReports,
    run: tally.lateRuns,
  }));
  count('sallyport_peers_released_total', 'Peers whose leases this process handed back', 'cause', () => ({
    died: tally.deadNodes,
  }));
}

function countWork({ cache, inbox, evaluations }: EngineRuntime, count: Count): void {
  count(
    'sallyport_workflow_cache_lookups_total',
    'Workflows looked up in memory before a commit',
    'result',
    () => ({ hit: cache.hits, miss: cache.misses }),
  );
  count(
    'sallyport_inbox_messages_total',
    'Effects on other workflows, by what became of them',
    'result',
    () => ({ consumed: inbox.facts.consumed, abandoned: inbox.facts.abandoned }),
  );
  count('sallyport_scripts_total', 'Scripts that were evaluated, by how it went', 'result', () => {
    const { evaluated, failed } = evaluations.facts;
    return { ok: evaluated - failed, failed };
  });
}

function tellConnections(registry: Registry, { store }: EngineRuntime, { pool }: Database): void {
  const connections = new Gauge({
    name: 'sallyport_postgres_connections',
    help: 'Connections of each pool; waiting: calls that wait for one',
    labelNames: ['pool', 'state'],
    registers: [registry],
    collect() {
      const service = { total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount };
      const pools = { service, engine: store.connections };
      for (const [name, use] of Object.entries(pools)) {
        if (use === undefined) continue;
        connections.set({ pool: name, state: 'busy' }, use.total - use.idle);
        connections.set({ pool: name, state: 'idle' }, use.idle);
        connections.set({ pool: name, state: 'waiting' }, use.waiting);
      }
    },
  });
}
