import { describe, expect, it } from "vitest";
import { autoname, newFieldManager } from "../../../lab/kubernetes-plugin/names.ts";

const seed = new Uint8Array([7, 7, 7]);
const nameOf = (result: ReturnType<typeof autoname>): unknown =>
  "object" in result ? JSON.parse(JSON.stringify(result.object)) : result;

describe("autoname", () => {
  it("appends eight hex digits that follow from the seed", () => {
    const once = autoname({}, undefined, "settings", seed, undefined);
    expect(nameOf(once)).toMatchObject({
      metadata: { name: expect.stringMatching(/^settings-[0-9a-f]{8}$/) as string },
    });
    expect(autoname({}, undefined, "settings", seed, undefined)).toEqual(once);
    expect(autoname({}, undefined, "settings", new Uint8Array([8]), undefined)).not.toEqual(once);
  });

  it("leaves a name alone, also one that is not known yet", () => {
    const object = { metadata: { name: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" } };
    expect(autoname(object, undefined, "settings", seed, undefined)).toEqual({ object });
  });

  it("keeps the automatic name of the last update, but not a name that the program had given", () => {
    const automatic = { metadata: { name: "settings-1", annotations: { "pulumi.com/autonamed": "true" } } };
    expect(nameOf(autoname({}, automatic, "settings", seed, undefined))).toMatchObject(automatic);
    const given = { metadata: { name: "mine" } };
    expect(nameOf(autoname({}, given, "settings", seed, undefined))).not.toMatchObject(given);
  });

  it("follows the project's own naming", () => {
    const proposed = autoname({}, undefined, "settings", seed, { mode: "enforce", name: "dev-settings" });
    expect(nameOf(proposed)).toMatchObject({ metadata: { name: "dev-settings" } });
    expect(autoname({}, undefined, "settings", seed, { mode: "disabled" })).toHaveProperty("failure");
  });
});

describe("newFieldManager", () => {
  it("is another one each time", () => {
    expect(newFieldManager()).toMatch(/^pulumi-kubernetes-[0-9a-f]{8}$/);
    expect(newFieldManager()).not.toBe(newFieldManager());
  });
});
