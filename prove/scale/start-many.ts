import type { ServiceProcess } from '../../test/support/service-process.js';

const AT_ONCE = 64;

/** Starts so many workflows through the API. @returns their ids, in the order of their numbers. */
export async function startMany(
  service: ServiceProcess,
  count: number,
  request: (n: number) => object,
): Promise<readonly string[]> {
  const ids: string[] = [];
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count) {
      const n = next;
      next += 1;
      ids[n] = await service.api<string>('/api/workflow', { method: 'POST', body: request(n) });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  return ids;
}
