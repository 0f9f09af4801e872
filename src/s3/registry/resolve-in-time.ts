import type { Resolve } from '../../outbound/egress/egress.js';

const RESOLVE_MS = 3_000;

/** The addresses of a name, or a rejection after three seconds: a silent name server must hold nobody up. */
export async function resolveInTime(
  hostname: string,
  resolve: Resolve,
): Promise<readonly { readonly address: string }[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${hostname} was not resolved within ${RESOLVE_MS} ms`)),
      RESOLVE_MS,
    );
  });
  try {
    return await Promise.race([resolve(hostname), late]);
  } finally {
    clearTimeout(timer);
  }
}
