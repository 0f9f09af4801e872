export function nodeFlags(env?: { readonly NODE_OPTIONS?: string | undefined }): string[];
