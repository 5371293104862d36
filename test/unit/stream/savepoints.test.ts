import { beforeEach, describe, expect, test } from "vitest";
import { UserError } from "../../../base/errors.ts";
import type { Savepoint } from "../../../jobs/ledger/index.ts";
import { resumeStream } from "../../../jobs/stream/resume.ts";
import { neededBy, surplus } from "../../../jobs/stream/retention.ts";
import { deleteOne, keepNewest, keepOnly, listSavepoints } from "../../../jobs/stream/savepoints.ts";
import { suspendStream } from "../../../jobs/stream/suspend.ts";
import { NOW, newWorld, refusal, type World } from "./world.ts";

let world: World;
let run: string;
beforeEach(async () => {
  world = await newWorld();
  run = await world.running();
});
const ago = async (minutes: number) => await world.savepoint(run, NOW - minutes * 60_000);

describe("retention", () => {
  test("keeps the newest, and deletes the others with their files", async () => {
    const [oldest, older, newer, newest] = [await ago(40), await ago(30), await ago(20), await ago(10)];
    const { latest } = await world.find("clicks");
    const gone = await keepOnly(world.ports(), latest, 2);
    expect(gone.map(({ location }) => location)).toEqual([older, oldest]);
    expect([...world.files].sort()).toEqual([newer, newest].sort());
    const left = await listSavepoints(world.ports(), await world.find("clicks"));
    expect(left.map(({ location }) => location)).toEqual([newest, newer]);
    expect(await listSavepoints(world.ports(), await world.find("clicks"), true)).toHaveLength(4);
  });

  test("never deletes what a live run started from", async () => {
    await suspendStream(world.ports(), await world.find("clicks"));
    const { origin, started } = await resumeStream(world.ports(), await world.find("clicks"));
    for (const minutes of [1, 2, 3]) await world.savepoint(started.run, NOW + minutes * 60_000);
    const { latest } = await world.find("clicks");
    await keepOnly(world.ports(), latest, 1);
    const left = await listSavepoints(world.ports(), await world.find("clicks"));
    expect(left.map(({ location, needed }) => [location === origin.location, needed])).toEqual([
      [false, false],
      [true, true],
    ]);
  });

  test("never deletes the newest, nor counts checkpoints", () => {
    const savepoint: Savepoint = {
      location: "s3://demo-output/1",
      run: "clicks-1",
      tenant: "demo",
      job: "clicks",
      environment: "lab",
      attempt: 1,
      kind: "savepoint",
      reason: "asked",
      flinkVersion: "2.3.0",
      format: "native",
      at: new Date(NOW).toISOString(),
    };
    const checkpoint: Savepoint = { ...savepoint, location: "s3://demo-output/2", kind: "checkpoint" };
    expect(surplus([checkpoint, savepoint], 0, new Set())).toEqual([]);
  });

  test("keeps by which the stream was suspended last", async () => {
    const { location } = await suspendStream(world.ports(), await world.find("clicks"));
    const { latest } = await world.find("clicks");
    expect([...neededBy([], latest)]).toEqual([location]);
  });

  test("that can't be done is told, and is no failure of what was asked", async () => {
    await ago(40);
    for (const minutes of [30, 20, 10]) await ago(minutes);
    const { latest } = await world.find("clicks");
    const ports = world.ports();
    const remove = async (): Promise<number> => {
      await Promise.resolve();
      throw new UserError("s3-unreachable", "S3 did not answer.");
    };
    await keepNewest({ ...ports, state: { ...ports.state, remove } }, latest);
    expect(world.notes).toEqual(["Old savepoints could not be deleted: S3 did not answer."]);
    expect(await listSavepoints(ports, await world.find("clicks"))).toHaveLength(4);
  });

  test("is what the spec says after each new savepoint", async () => {
    const old = [await ago(40), await ago(30), await ago(20)];
    await suspendStream(world.ports(), await world.find("clicks"));
    expect(world.calls).toContain(`remove ${old[0] ?? ""}`);
    expect(await listSavepoints(world.ports(), await world.find("clicks"))).toHaveLength(3);
  });
});

describe("to delete one savepoint", () => {
  const remove = async (location: string) =>
    await deleteOne(world.ports(), await world.find("clicks"), location);

  test("deletes its files and remembers when", async () => {
    const older = await ago(20);
    await ago(10);
    await remove(`${older}/`);
    expect(world.files.has(older)).toBe(false);
    expect(await refusal(remove(older))).toMatchObject({
      code: "unknown-savepoint",
      exitCode: 66,
      message: "That savepoint was deleted at 2026-11-24T12:00:00.000Z.",
    });
  });

  test("is refused for the newest", async () => {
    await ago(20);
    const newest = await ago(10);
    expect(await refusal(remove(newest))).toMatchObject({ code: "savepoint-newest", path: newest });
    expect(world.files.has(newest)).toBe(true);
  });

  test("is refused for one that a live run started from", async () => {
    const { location } = await suspendStream(world.ports(), await world.find("clicks"));
    await resumeStream(world.ports(), await world.find("clicks"));
    await world.savepoint("clicks-2", NOW + 60_000);
    expect(await refusal(remove(location))).toMatchObject({ code: "savepoint-in-use", path: location });
  });

  test("is refused for one that is not known, and for another job's", async () => {
    const other = "s3://demo-output/state/orders/savepoints/savepoint-1-2";
    expect(await refusal(remove(other))).toMatchObject({ code: "savepoint-of-another-job", path: other });
    const nowhere = "s3://demo-output/state/clicks/savepoints/savepoint-9-9";
    expect(await refusal(remove(nowhere))).toMatchObject({ code: "unknown-savepoint", path: nowhere });
  });
});
