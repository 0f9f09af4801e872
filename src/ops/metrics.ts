import { collectDefaultMetrics, Registry } from 'prom-client';

/** Injection token of the process's prom-client `Registry`. */
export const METRICS = Symbol('METRICS');

export function createMetrics(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}
