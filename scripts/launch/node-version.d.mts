export function objectionTo(version: string): string | undefined;
export function refuseOldNode(): void;
