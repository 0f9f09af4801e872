import 'reflect-metadata';
import { banner } from './embedded/banner.js';
import { readConfig, type Config } from './config.js';
import { AppError } from './errors.js';
import { createLog, type Log } from './ops/log.js';
import { startService, type Service } from './service.js';
import { MalwareStatus } from './tasks/scan/malware/malware-status.js';

// A stop is over within this time, clean or not; what was not finished goes on at the next start.
const STOP_LIMIT_MS = 9_500;

try {
  const config = readConfig(process.env);
  const log = createLog(config);
  process.on('unhandledRejection', (error) =>
    log.error({ err: error }, 'a promise failed and nobody was listening; this is a fault, please report it'),
  );
  logWarnings(log);
  let service: Service | undefined;
  const starting = startService(config, log);
  stopOnSignals(log, async () => (service ?? (await starting)).close());
  service = await starting;
  process.stdout.write(await welcome(config, service));
} catch (error) {
  // A sentence for what people can mend, everything for what they cannot.
  process.stderr.write(
    `${error instanceof AppError ? error.message : String((error as Error).stack ?? error)}\n`,
  );
  process.exit(1);
}

/** Node's warnings as lines of the log, instead of paragraphs between them. */
function logWarnings(log: Log): void {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    // The AWS SDK's note about next year's Node is for us, not for every operator at every start.
    const level = warning.message.includes('NodeVersionSupportWarning') ? 'debug' : 'warn';
    log[level]({ warning: warning.name }, warning.message);
  });
}

function stopOnSignals(log: Log, stop: () => Promise<void>): void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => {
      log.warn('not everything stopped in time; what was under way goes on at the next start');
      process.exit(1);
    }, STOP_LIMIT_MS).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}

async function welcome(config: Config, service: Service): Promise<string> {
  const malware = await service.app.get(MalwareStatus).current();
  return banner({
    config,
    credentials: service.credentials,
    isFirstStart: service.isFirstStart,
    s3Url: service.s3?.url,
    malware,
    took: howLong(config),
    seeded: service.seeded,
  });
}

function howLong(config: Config): string {
  // Since the process began, loading included.
  const own = performance.now() / 1000;
  if (config.SALLYPORT_LAUNCH === undefined) return `after ${own.toFixed(1)} s`;
  const launch = JSON.parse(config.SALLYPORT_LAUNCH) as {
    startedAt: number;
    installSeconds: number;
    buildSeconds: number;
  };
  const parts = [
    launch.installSeconds > 0 ? `installed in ${launch.installSeconds.toFixed(0)} s` : '',
    launch.buildSeconds > 0 ? `built in ${launch.buildSeconds.toFixed(0)} s` : '',
    `ready after ${((Date.now() - launch.startedAt) / 1000).toFixed(1)} s`,
  ];
  return parts.filter(Boolean).join(', ');
}
