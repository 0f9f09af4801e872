import { PostgresCannotStart } from './postgres-cannot-start.js';

/** Turns what PostgreSQL's programs print when they fail into a sentence that says what to do. */
export function diagnose(
  output: string,
  place: { dataDirectory: string; port?: number },
): PostgresCannotStart {
  const { dataDirectory, port } = place;
  const says = (pattern: RegExp): boolean => pattern.test(output);
  if (says(/No space left on device|Disk quota exceeded/i)) {
    return new PostgresCannotStart(
      'disk-full',
      `The disk that holds ${dataDirectory} is full. Free some space (PostgreSQL needs about 200 MB to start) and start again; nothing was lost.`,
    );
  }
  if (says(/Address already in use|could not bind/i)) {
    return new PostgresCannotStart('port-taken', `Port ${port} on 127.0.0.1 is taken by another program.`);
  }
  if (says(/pre-existing shared memory block/i)) {
    return new PostgresCannotStart(
      'leftover',
      `Parts of a PostgreSQL that was killed still work on ${dataDirectory}. They end by themselves: start again in a moment.`,
    );
  }
  if (says(/lock file "postmaster\.pid" already exists/i)) {
    return new PostgresCannotStart(
      'already-running',
      `Another PostgreSQL already runs on ${dataDirectory}. Stop it and start again.`,
    );
  }
  if (says(/not compatible with this version|database files are incompatible/i)) {
    return new PostgresCannotStart(
      'version-mismatch',
      `${dataDirectory} was written by another version of PostgreSQL: ${lastLine(output)}. ` +
        'Start the Sallyport version that wrote it, or move that folder away to begin empty.',
    );
  }
  if (
    says(
      /could not look up effective user ID|cannot be run as root|Permission denied|wrong ownership|Operation not permitted/i,
    )
  ) {
    return new PostgresCannotStart(
      'account',
      `PostgreSQL cannot use ${dataDirectory} as this user: ${lastLine(output)}. ` +
        'Check who owns that folder, or point SALLYPORT_HOME at one that this user can write.',
    );
  }
  if (says(/could not (create|resize|map|allocate).*shared memory|Cannot allocate memory/i)) {
    return new PostgresCannotStart(
      'unknown',
      `PostgreSQL got no shared memory: ${lastLine(output)}. In a container, give it more with --shm-size=128m.`,
    );
  }
  if (
    says(
      /invalid (primary )?checkpoint record|could not locate|PANIC|is not a database cluster|missing (or|file)|corrupt|checksum|could not open (file|directory)/i,
    )
  ) {
    return new PostgresCannotStart(
      'damaged',
      `The PostgreSQL data in ${dataDirectory} is damaged: ${lastLine(output)}. Restore it from a backup, or move the folder away to begin empty.`,
    );
  }
  return new PostgresCannotStart(
    'unknown',
    `PostgreSQL did not start: ${lastLine(output) || 'it gave no reason'}.`,
  );
}

/** The last line that carries a reason; PostgreSQL says FATAL or PANIC before it says that it is down. */
function lastLine(output: string): string {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const reasons = lines.filter((line) => /(FATAL|PANIC|error|DETAIL):/.test(line));
  const line = reasons.at(-1) ?? lines.at(-1) ?? '';
  return line
    .replace(/^.*?\b(FATAL|PANIC|ERROR|DETAIL|error):\s*/, '')
    .replace(/\.$/, '')
    .slice(0, 300);
}
