import { build, isBuilt } from './build.mjs';
import { install, isInstalled } from './install.mjs';

/**
 * Installs and builds what is missing or stale, and nothing else: a start that finds all in place uses no network.
 * Resolves with the seconds that each took, zero for what was not needed.
 */
export async function prepare() {
  if (isBuilt() && isInstalled(undefined, { withoutDev: true }))
    return { installSeconds: 0, buildSeconds: 0 };
  const installSeconds = isInstalled() ? 0 : await install();
  const buildSeconds = isBuilt() ? 0 : await build();
  return { installSeconds, buildSeconds };
}
