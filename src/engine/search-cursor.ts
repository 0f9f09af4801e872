import { z } from 'zod';
import { InvalidInput } from '../errors.js';

const Position = z.tuple([z.int(), z.string().max(300)]);

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
    const parsed = Position.safeParse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    if (parsed.success) return { createTime: parsed.data[0], workflowId: parsed.data[1] };
  } catch (error) {
    throw InvalidInput.field('cursor', 'is not one that this list gave out', { cause: error });
  }
  throw InvalidInput.field('cursor', 'is not one that this list gave out');
}
