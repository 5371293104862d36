import type { LeaseRecord } from "./types.ts";

/** What one reader knows of a lease that somebody holds: since when it has looked the same. */
export interface Sighting {
  readonly looks: string;
  /** The reader's monotonic clock when it first had this answer, in milliseconds. */
  readonly since: number;
  /** How long it may look the same, in milliseconds: the holder's own promise. */
  readonly duration: number;
}

/**
 * Pure: what is known after a further look. A reader never compares the holder's clock with its own; it only sees whether anything
 * changed, so neither skew nor a jump of either wall clock matters.
 * @param answered The reader's monotonic clock when the answer was there: a change is seen late rather than early.
 */
export function look(before: Sighting | undefined, lease: LeaseRecord, answered: number): Sighting {
  const { uid, resourceVersion, holder, transitions, renewTime } = lease;
  const looks = JSON.stringify([uid, resourceVersion, holder, transitions, renewTime]);
  if (before?.looks === looks) return before;
  return { looks, since: answered, duration: lease.durationSeconds * 1000 };
}

/**
 * Pure: whether the holder is dead, as seen by a look that was asked at `asked`, again by the reader's monotonic clock. The holder stops
 * a margin before that: it counts from the sending of its last renewal, which is earlier than anybody saw it.
 */
export const isDead = ({ since, duration }: Sighting, asked: number): boolean => asked - since >= duration;
