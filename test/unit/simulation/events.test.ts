import { describe, expect, test } from "vitest";
import { nothingTold, take } from "../../../simulation/events.ts";
import { SECRET, UNKNOWN } from "../../../simulation/types.ts";
import { secret, UNKNOWN_VALUE } from "../../../simulation/wire.ts";

const URN = "urn:pulumi:prod::acme::aws:eks/nodeGroup:NodeGroup::m7g-4xlarge";

const event = (op: string, more: object = {}): string =>
  JSON.stringify({
    resourcePreEvent: { metadata: { op, urn: URN, type: "aws:eks/nodeGroup:NodeGroup", ...more } },
  });

describe("the engine's events", () => {
  test("three steps of a replacement are one, which says whether the old one goes first", () => {
    const told = nothingTold();
    const keys = ["instanceTypes"];
    for (const op of ["delete-replaced", "replace", "create-replacement"])
      take(told, event(op, { keys, old: { custom: true, inputs: {} }, new: { custom: true, inputs: {} } }));
    expect([...told.steps.values()]).toMatchObject([
      { op: "replace", replaceKeys: keys, deleteBeforeReplace: true, name: "m7g-4xlarge" },
    ]);

    const later = nothingTold();
    for (const op of ["create-replacement", "replace", "delete-replaced"])
      take(later, event(op, { keys, old: { inputs: {} }, new: { inputs: {} } }));
    expect([...later.steps.values()]).toMatchObject([{ op: "replace", deleteBeforeReplace: false }]);
  });

  test("a secret is masked and an unknown value named, however deep", () => {
    const told = nothingTold();
    const inputs = { env: [{ token: secret("s3cr3t") }], vpcId: UNKNOWN_VALUE, __internal: {} };
    const step = take(told, event("create", { new: { inputs } }));
    expect(step?.newInputs).toEqual({ env: [{ token: SECRET }], vpcId: UNKNOWN });
  });

  test("differences say what replaces", () => {
    const detailedDiff = {
      "instanceTypes[0]": { diffKind: "update-replace", inputDiff: true },
      "labels.pool": { diffKind: "add", inputDiff: true },
    };
    expect(take(nothingTold(), event("update", { detailedDiff }))?.differences).toEqual([
      { path: "instanceTypes[0]", kind: "update", replaces: true },
      { path: "labels.pool", kind: "add", replaces: false },
    ]);
  });

  test("the SDK's debug messages are left out, warnings are not", () => {
    const told = nothingTold();
    const message = (severity: string): string =>
      JSON.stringify({ diagnosticEvent: { severity, message: `a ${severity}\n` } });
    for (const severity of ["debug", "warning", "info#err"]) take(told, message(severity));
    expect(told.diagnostics.map(({ severity, message: text }) => `${severity}: ${text}`)).toEqual([
      "warning: a warning",
      "info: a info#err",
    ]);
  });
});
