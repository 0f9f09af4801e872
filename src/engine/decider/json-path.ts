/** How a key continues a JSON path: `.name` where that reads well, `["…"]` otherwise. */
export const pathKey = (key: string): string =>
  /^[A-Za-z_$][\w$-]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;

/** A path of keys and indexes as text: `tasks[2].decisionCases.clean[0].joinOn`. */
export const formatPath = (keys: readonly PropertyKey[]): string =>
  keys
    .map((key) => (typeof key === 'number' ? `[${key}]` : pathKey(String(key))))
    .join('')
    .replace(/^\./, '');
