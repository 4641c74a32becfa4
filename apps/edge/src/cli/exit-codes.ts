/** Exit codes of the commands (docs/operations.md#exit-codes). */
export const DONE = 0;
/** Nothing was made, or what was asked for cannot be answered. */
export const FAILED = 1;
/** Done, and the output names what did not come along, or what is damaged. */
export const DONE_WITH_LOSSES = 2;
