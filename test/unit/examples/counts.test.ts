import { describe, expect, test } from "vitest";
import { type CountedFile, checkCounts, Offence } from "../../../examples/flink-stream/counts.ts";

/** What the counting stream writes of the numbers below `until`, by the rest after division by three. */
const written = (until: number): string[] =>
  Array.from({ length: until }, (_, number) => `${number % 3},${Math.floor(number / 3) + 1},${number}`);

const file = (name: string, lines: readonly string[]): CountedFile => ({
  name: `s3://demo-output/counts/${name}`,
  text: lines.map((line) => `${line}\n`).join(""),
});

const LINES = written(30);

/** As two tasks commit them: one has the keys 0 and 2, one key 1. */
const FILES = [
  file(
    "part-a-0",
    LINES.filter((line) => !line.startsWith("1,")),
  ),
  file(
    "part-b-0",
    LINES.filter((line) => line.startsWith("1,")),
  ),
];

const without = (line: string): CountedFile[] => [
  file(
    "part-a-0",
    LINES.filter((other) => other !== line),
  ),
];

describe("the check of a counting stream's output", () => {
  test("takes counts that are exact, in whatever files", () => {
    expect(checkCounts(FILES, 30)).toEqual({ lines: 30, keys: 3, byFields: new Map([[3, 30]]), whole: 30 });
  });

  test("takes what the second version of the job adds, and says how much that is", () => {
    const files = [
      file("part-a-0", LINES.slice(0, 20)),
      file(
        "part-a-1",
        LINES.slice(20).map((line) => `${line},7`),
      ),
    ];
    expect(checkCounts(files, 30).byFields).toEqual(
      new Map([
        [3, 20],
        [4, 10],
      ]),
    );
  });

  test("finds a line that is lost in the middle of a key", () => {
    expect(() => checkCounts(without("1,4,10"))).toThrow(
      new Offence(
        "lost: key 1 has no count 4 after count 3 (number 7, s3://demo-output/counts/part-a-0 line 8); " +
          "count 5 (number 13, s3://demo-output/counts/part-a-0 line 13) is next",
      ),
    );
  });

  test("finds that a key's first line is lost", () => {
    expect(() => checkCounts(without("2,1,2"))).toThrow("lost: key 2 has no count 1; count 2");
  });

  test("finds a lost last line when told how far the stream went", () => {
    expect(checkCounts(without("2,10,29")).whole).toBe(29);
    expect(() => checkCounts(without("2,10,29"), 30)).toThrow("lost: number 29 is missing of those up to 30");
  });

  test("finds a line that is there twice, and where", () => {
    expect(() => checkCounts([...FILES, file("part-c-0", ["2,3,8"])])).toThrow(
      "twice: key 2 has count 3 (number 8, s3://demo-output/counts/part-a-0 line 6) and " +
        "count 3 (number 8, s3://demo-output/counts/part-c-0 line 1)",
    );
  });

  test("finds a number that was counted twice under gapless counts", () => {
    expect(() => checkCounts([...FILES, file("part-c-0", ["2,11,29"])])).toThrow("out of order: key 2");
    expect(() => checkCounts([...FILES, file("part-c-0", ["3,1,29"])])).toThrow("twice: number 29 is in");
  });

  test("finds state that was not restored: counts begin again", () => {
    expect(() => checkCounts([...FILES, file("part-c-0", ["0,1,30"])])).toThrow("twice: key 0 has count 1");
  });

  test("finds lines that were cut off or are of something else", () => {
    expect(() => checkCounts([{ name: "part-a-0", text: "0,1,0\n0,2" }])).toThrow(
      "the last line is cut off: part-a-0 line 2",
    );
    expect(() => checkCounts([file("part-a-0", ["the,9"])])).toThrow("'the,9' is not key,count,number");
  });

  test("takes no output for no counts yet, unless some are due", () => {
    expect(checkCounts([]).lines).toBe(0);
    expect(() => checkCounts([], 1)).toThrow("number 0 is missing");
  });
});
