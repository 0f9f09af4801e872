/**
 * How large, in bytes of JSON, one input, output or set of variables may be. Conductor's names and defaults.
 *
 * Above a threshold a value is kept beside its row in the payload store; above a maximum the task fails with a terminal
 * error, the workflow fails, or a client's start is refused.
 */
export interface PayloadLimits {
  readonly workflowThreshold: number;
  readonly workflowMax: number;
  readonly taskThreshold: number;
  readonly taskMax: number;
  readonly variablesMax: number;
}

const KB = 1024;

export const DEFAULT_PAYLOAD_LIMITS: PayloadLimits = {
  workflowThreshold: 5120 * KB,
  workflowMax: 10_240 * KB,
  taskThreshold: 3072 * KB,
  taskMax: 10_240 * KB,
  variablesMax: 256 * KB,
};

/** No configuration allows more: expressions stop at it, so that references that unfold to gigabytes stop somewhere. */
export const MAX_PAYLOAD_BYTES = 10_240 * KB;
