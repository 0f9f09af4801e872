export function isInstalled(directory?: string, options?: { withoutDev?: boolean }): boolean;
export function npm(): { command: string; args: string[] };
