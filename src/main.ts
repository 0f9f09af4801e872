import 'reflect-metadata';
import { banner } from './embedded/banner.js';
import { sampleVerdicts } from './embedded/sample-verdicts.js';
import { Database } from './database/database.js';
import { readConfig, type Config } from './config.js';
import { AppError } from './errors.js';
import { createLog, type Log } from './ops/log.js';
import { startService, type Service } from './service.js';
import { SecretScannerSource } from './tasks/scan/secret-scanner-source.js';
import { MalwareStatus } from './tasks/scan/malware/malware-status.js';

// A stop is over within this time, clean or not; what was not finished goes on at the next start.
const STOP_LIMIT_MS = 9_500;

const stopping = new AbortController();

try {
  const config = readConfig(process.env);
  const log = createLog(config);
  process.on('unhandledRejection', (error) =>
    log.error({ err: error }, 'a promise failed and nobody was listening; this is a fault, please report it'),
  );
  logWarnings(log);
  let service: Service | undefined;
  const onFatal = (error: AppError): void => {
    process.stderr.write(`${error.message}\n`);
    stop(1);
  };
  const starting = startService({ config, log, onFatal, signal: stopping.signal });
  const stop = stopper(log, async () => (service ?? (await starting)).close());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      log.info({ signal }, 'stopping');
      stop(0);
    });
  service = await starting;
  process.stdout.write(await welcome(config, service));
  if (service.seeded > 0) await tellSamples(config, service, log);
} catch (error) {
  // Who stops a service that still starts wants no reasons; the stop ends the process.
  if (!stopping.signal.aborted) {
    // A sentence for what people can mend, everything for what they cannot.
    process.stderr.write(
      `${error instanceof AppError ? error.message : String((error as Error).stack ?? error)}\n`,
    );
    process.exit(1);
  }
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

/** Stops the service once, however often it is asked, and ends the process with the code that was asked for first. */
function stopper(log: Log, close: () => Promise<void>): (code: number) => void {
  return (code) => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    setTimeout(() => {
      log.warn('not everything stopped in time; what was under way goes on at the next start');
      process.exit(1);
    }, STOP_LIMIT_MS).unref();
    close().then(
      () => process.exit(code),
      (error: unknown) => {
        // A start that was cut short has stopped its own parts.
        if (error === stopping.signal.reason) process.exit(code);
        log.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
}

async function welcome(config: Config, service: Service): Promise<string> {
  const malware = await service.app.get(MalwareStatus).current();
  return banner({
    config,
    credentials: service.credentials,
    isFirstStart: service.isFirstStart,
    s3Url: service.s3?.url,
    malware,
    secretRules: service.app.get(SecretScannerSource).scanner.rulesCount,
    took: howLong(config),
    seeded: service.seeded,
  });
}

async function tellSamples(config: Config, service: Service, log: Log): Promise<void> {
  try {
    const line = await sampleVerdicts(
      service.app.get(Database),
      service.seeded,
      () => secondsSinceStart(launchOf(config)),
      stopping.signal,
    );
    if (line !== undefined) process.stdout.write(`  ${line}\n\n`);
  } catch (error) {
    // Only the line is lost: the scans go on without it, and a stop closes the database under it.
    if (!stopping.signal.aborted) log.warn({ err: error }, 'could not see how the samples fare');
  }
}

interface Launch {
  readonly startedAt: number;
  readonly installSeconds: number;
  readonly buildSeconds: number;
}

function launchOf({ SALLYPORT_LAUNCH: text }: Config): Launch | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as Launch);
}

/** Since `npm start` was called, installing and building included; else since this process began. */
function secondsSinceStart(launch: Launch | undefined): number {
  return launch === undefined ? performance.now() / 1000 : (Date.now() - launch.startedAt) / 1000;
}

function howLong(config: Config): string {
  const launch = launchOf(config);
  if (launch === undefined) return `after ${secondsSinceStart(launch).toFixed(1)} s`;
  const parts = [
    launch.installSeconds > 0 ? `installed in ${launch.installSeconds.toFixed(0)} s` : '',
    launch.buildSeconds > 0 ? `built in ${launch.buildSeconds.toFixed(0)} s` : '',
    `ready after ${secondsSinceStart(launch).toFixed(1)} s`,
  ];
  return parts.filter(Boolean).join(', ');
}
