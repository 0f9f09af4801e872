// npm run build: builds what is stale. With --release also the list of parts (SBOM) and the third-party notices.
import { refuseOldNode } from './launch/node-version.mjs';

refuseOldNode();

const { build, isBuilt } = await import('./launch/build.mjs');
const { install, isInstalled } = await import('./launch/install.mjs');
const { complain, say } = await import('./launch/say.mjs');

try {
  if (!isInstalled()) await install();
  if (isBuilt()) say('Already built.');
  else await build();
  if (process.argv.includes('--release')) {
    const { writeNotices } = await import('./notices.mjs');
    say(`Named ${await writeNotices()} packages in build/THIRD_PARTY_NOTICES.md and build/sbom.cdx.json`);
  }
} catch (error) {
  complain(error);
  process.exitCode = 1;
}
