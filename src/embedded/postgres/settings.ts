/**
 * How the embedded PostgreSQL is set up: small, durable, on loopback only.
 *
 * Sized for one service on one machine; everything that `npm start` starts is to idle below 300 MB.
 */
export const settings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  // TCP only: one kind of URL for every client, and no limit of 107 bytes on the folder's path.
  unix_socket_directories: '',
  max_connections: '40',
  shared_buffers: '40MB',
  maintenance_work_mem: '32MB',
  temp_file_limit: '2GB',
  max_wal_size: '512MB',
  // Nothing replicates from it: no slots, no senders, no launcher process.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  // PostgreSQL 18 keeps three extra I/O processes otherwise.
  io_method: 'sync',
  max_worker_processes: '2',
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  autovacuum_max_workers: '2',
  autovacuum_naptime: '30s',
  jit: 'off',
  huge_pages: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // A statement's error belongs to the client that sent it. Written here it could carry row values into a file.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
};

/** The settings as the command line that `postgres` takes. */
export function asArguments(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
