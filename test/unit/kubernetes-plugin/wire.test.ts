import { describe, expect, it } from "vitest";
import { decode, encode, hasUnknown } from "../../../lab/kubernetes-plugin/wire.ts";

const secret = (value: string): { [key: string]: string } => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  value,
});
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

describe("decode", () => {
  it("takes secrets apart into their plain value and their place", () => {
    expect(decode({ data: { password: secret("hunter2"), user: "demo" } })).toEqual({
      value: { data: { password: "hunter2", user: "demo" } },
      secrets: [["data", "password"]],
    });
  });

  it("counts a list as secret where one of its items is", () => {
    const { secrets } = decode({ spec: { containers: [{ env: [{ name: "A", value: secret("x") }] }] } });
    expect(secrets).toEqual([["spec", "containers"]]);
  });

  it("leaves out what is null in records and keeps it in lists", () => {
    expect(decode({ a: null, b: { c: null }, d: [null] }).value).toEqual({ b: {}, d: [null] });
  });
});

describe("encode", () => {
  it("marks what decode took apart", () => {
    const wire = { data: { password: secret("hunter2"), user: "demo" } };
    expect(encode(decode(wire))).toEqual(wire);
  });

  it("ignores the places of secrets that are not there", () => {
    expect(encode({ value: { a: "1" }, secrets: [["b"], ["a", "c"]] })).toEqual({ a: "1" });
  });
});

describe("hasUnknown", () => {
  it("finds a value that is only known after the update, however deep", () => {
    expect(hasUnknown({ spec: { ports: [{ port: UNKNOWN }] } })).toBe(true);
    expect(hasUnknown({ spec: { ports: [{ port: 80 }] } })).toBe(false);
  });
});
