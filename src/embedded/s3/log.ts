/** The part of pino that the endpoint uses. */
export interface EndpointLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** For those who do not care. */
export const silentLogger: EndpointLogger = { info: () => {}, warn: () => {}, error: () => {} };
