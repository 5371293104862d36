import { describe, expect, test } from "vitest";
import { isClosed, passwordIn } from "../../../jobs/ledger/password-file.ts";

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

describe("who may read the password file", () => {
  const worker = 65_532;

  test("only its owner, where it is ours", () => {
    expect(isClosed({ mode: 0o100600, uid: worker }, worker)).toBe(true);
    expect(isClosed({ mode: 0o100640, uid: worker }, worker)).toBe(false);
    expect(isClosed({ mode: 0o100640, uid: 0 }, 0)).toBe(false);
  });

  test("its group too, where it is root's and we are not, as with a Secret in a pod", () => {
    expect(isClosed({ mode: 0o100440, uid: 0 }, worker)).toBe(true);
    expect(isClosed({ mode: 0o100460, uid: 0 }, worker)).toBe(false);
    expect(isClosed({ mode: 0o100444, uid: 0 }, worker)).toBe(false);
  });
});
