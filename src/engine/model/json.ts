/** Whatever JSON can say. Payloads are kept as `json` text, so key order and numbers survive. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };
