/** Exit codes of commands for streams beside those of the outcomes. Stable; listed in `mayfly --help` and docs/streams.md. */
export const STREAM_EXIT = {
  /** The new version never became healthy; the old one runs again. */
  rolledBack: 23,
  /** Neither the new version nor the old one runs: its state is safe, and the message names it. */
  rollbackFailed: 24,
  /** What was asked of a live stream was not done; it goes on as it was. */
  notDone: 25,
} as const;
