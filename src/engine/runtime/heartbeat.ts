/** How often a node says that it lives. */
export const HEARTBEAT_MS = 5_000;
// Two lost beats may be a hiccup; with the third a node is dead.
export const DEAD_AFTER_MS = 3 * HEARTBEAT_MS;
