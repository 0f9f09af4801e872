// Must load on a Node as old as 14, to be able to say that it is too old. So: no imports, no newer syntax.

/** Why this version of Node cannot run Sallyport, or undefined when it can. */
export function objectionTo(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  const isGood =
    (major === 20 && minor >= 19) ||
    (major === 22 && minor >= 12) ||
    (major === 23 && minor >= 0) ||
    major >= 24;
  if (isGood) return undefined;
  const why =
    major > 20
      ? `Node ${major}${major === 22 ? `.${minor}` : ''} lacks what 20.19 and 22.12 have`
      : 'that is too old';
  return (
    `Node 20.19 or newer is needed (or 22.12, or 24); this is ${version}, and ${why}. ` +
    'Install a current Node from https://nodejs.org or with your package manager, and run the same command again.'
  );
}

/** Ends the process with that sentence when this Node cannot run Sallyport. */
export function refuseOldNode() {
  const objection = objectionTo(process.version);
  if (objection === undefined) return;
  process.stderr.write(`${objection}\n`);
  process.exit(1);
}
