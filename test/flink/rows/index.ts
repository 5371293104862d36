import type { Chapter } from "../types.ts";
import { life } from "./life.ts";
import { highAvailability, losses } from "./losses.ts";
import { older, refused } from "./refused.ts";
import { upgrades } from "./upgrades.ts";
import { zone } from "./zone.ts";

/** The long ones first, so that no lane waits for another at the end. */
export const CHAPTERS: readonly Chapter[] = [upgrades, losses, life, refused, highAvailability, older, zone];
