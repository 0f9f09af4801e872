import { InvalidInput } from '../errors.js';

/** Where a page of the executions list ended. */
export interface SearchPosition {
  readonly createTime: number;
  readonly workflowId: string;
}

export const encodeCursor = ({ createTime, workflowId }: SearchPosition): string =>
  Buffer.from(JSON.stringify([createTime, workflowId])).toString('base64url');

/** Throws InvalidInput for anything that `encodeCursor` did not make. */
export function decodeCursor(cursor: string): SearchPosition {
  try {
    const [createTime, workflowId] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    if (Number.isSafeInteger(createTime) && typeof workflowId === 'string' && workflowId.length <= 300) {
      return { createTime: createTime as number, workflowId };
    }
  } catch (error) {
    throw InvalidInput.field('cursor', 'is not one that this list gave out', { cause: error });
  }
  throw InvalidInput.field('cursor', 'is not one that this list gave out');
}
