import { expect } from "vitest";

/** `expect.stringContaining`, whose type `any` the linter refuses. */
export const containing = (text: string): unknown => expect.stringContaining(text);
