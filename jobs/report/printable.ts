import { stripVTControlCharacters } from "node:util";

/**
 * Text of a tenant's program made fit for a terminal: without escape sequences and control characters, which could rewrite what
 * stands on the screen or set its title.
 */
export const printable = (text: string): string =>
  stripVTControlCharacters(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
