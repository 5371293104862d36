import { describe, expect, test } from "vitest";
import { passwordIn } from "../../../jobs/ledger/password-file.ts";

const wanted = { host: "db.acme.example", port: "5432", database: "mayfly", user: "mayfly" };

describe("Postgres' password file", () => {
  test.each([
    ["the line that fits", "db.acme.example:5432:mayfly:mayfly:s3cret", "s3cret"],
    ["the first of two", "*:*:*:mayfly:first\ndb.acme.example:5432:mayfly:mayfly:second", "first"],
    ["none for another host", "db.prod.example:5432:mayfly:mayfly:s3cret", undefined],
    ["none for another user", "*:*:*:root:s3cret", undefined],
    ["a password with a colon and a backslash in it", String.raw`*:*:*:*:a\:b\\c`, String.raw`a:b\c`],
    ["none from a comment or half a line", "# *:*:*:*:s3cret\n*:*:*:*\n", undefined],
    ["lines of Windows", "*:*:*:*:s3cret\r\n", "s3cret"],
  ])("gives %s", (_what, text, password) => {
    expect(passwordIn(text, wanted)).toBe(password);
  });
});
