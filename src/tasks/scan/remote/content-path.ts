/** Where the bytes of a grant are read; the token is all that is needed, so it belongs in no log and on no page. */
export const contentPath = (token: string): string => `/api/v1/content/${token}`;
