import type { PauseRow } from './sql/pauses.js';
import type { LaneRow } from './sql/queue-lanes.js';
import type { SourceClass } from './source-class.js';

/** What is stopped: everything where neither is named, else what has both. */
export interface QueueName {
  readonly endpointId?: string | undefined;
  readonly bucket?: string | undefined;
  readonly source?: SourceClass | undefined;
}

/** One text per thing that can be stopped. */
export const queueKeyOf = ({ endpointId, bucket, source }: QueueName): string => {
  const parts = [
    ...(source === undefined ? [] : [`source:${source}`]),
    ...(bucket === undefined ? [] : [`bucket:${endpointId ?? ''}/${bucket}`]),
  ];
  return parts.length === 0 ? 'all' : parts.join(' ');
};

/** The pauses that stop this queue. */
export const pausesOf = (lane: LaneRow, pauses: readonly PauseRow[]): readonly PauseRow[] =>
  pauses.filter(
    (pause) =>
      (pause.bucket === null || (pause.bucket === lane.bucket && pause.endpoint_id === lane.endpoint_id)) &&
      (pause.source_class === null || pause.source_class === lane.source_class),
  );

export const isPaused = (lane: LaneRow, pauses: readonly PauseRow[]): boolean =>
  pausesOf(lane, pauses).length > 0;
