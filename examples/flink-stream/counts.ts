// Proves that a counting stream lost nothing and counted nothing twice, from what it wrote: lines `key,count,number` of the jobs in
// examples/flink-jobs. Pure.

/** A file that a stream wrote. */
export interface CountedFile {
  readonly name: string;
  readonly text: string;
}

/** What the files come to, where every count is exact. */
export interface ExactCounts {
  readonly lines: number;
  readonly keys: number;
  /** Lines by their number of fields: the second version of the job writes a fourth one. */
  readonly byFields: ReadonlyMap<number, number>;
  /** All numbers below this one are there. Each later one that is there is exact too, but one of another task may still be missing. */
  readonly whole: number;
}

interface Line {
  readonly key: string;
  readonly count: number;
  readonly number: number;
  readonly fields: number;
  readonly where: string;
}

/** The first offence, in words. */
export class Offence extends Error {}

const WHOLE_NUMBER = /^\d{1,15}$/;

function parse(text: string, where: string): Line {
  const [key = "", count = "", number = "", ...more] = text.split(",");
  if (key === "" || !WHOLE_NUMBER.test(count) || !WHOLE_NUMBER.test(number)) {
    throw new Offence(`'${text}' is not key,count,number: ${where}`);
  }
  return { key, count: Number(count), number: Number(number), fields: 3 + more.length, where };
}

/** All lines. A last one without its line feed was cut off. */
function linesOf({ name, text }: CountedFile): Line[] {
  if (text === "") return [];
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new Offence(`the last line is cut off: ${name} line ${lines.length + 1}`);
  return lines.map((line, index) => parse(line, `${name} line ${index + 1}`));
}

const placed = ({ count, number, where }: Line): string => `count ${count} (number ${number}, ${where})`;

/** Counts of one key: 1, 2, 3 and so on, each once, in the order of the numbers counted. */
function checkKey(key: string, lines: readonly Line[]): void {
  let before: Line | undefined;
  for (const line of lines) {
    const due = (before?.count ?? 0) + 1;
    if (before !== undefined && line.count === before.count) {
      throw new Offence(`twice: key ${key} has ${placed(before)} and ${placed(line)}`);
    }
    if (line.count !== due) {
      const after = before === undefined ? "" : ` after ${placed(before)}`;
      throw new Offence(`lost: key ${key} has no count ${due}${after}; ${placed(line)} is next`);
    }
    if (before !== undefined && line.number <= before.number) {
      throw new Offence(`out of order: key ${key} has ${placed(before)} before ${placed(line)}`);
    }
    before = line;
  }
}

/** Each number once. @returns Below which one none is missing. */
function checkNumbers(lines: readonly Line[]): number {
  const seen = new Map<number, Line>();
  for (const line of lines) {
    const other = seen.get(line.number);
    if (other !== undefined) {
      throw new Offence(`twice: number ${line.number} is in ${other.where} and in ${line.where}`);
    }
    seen.set(line.number, line);
  }
  let whole = 0;
  while (seen.has(whole)) whole++;
  return whole;
}

/**
 * Checks that per key the counts are 1, 2, 3 and so on, each exactly once, and that each number was counted once.
 * @param upto All numbers below it must be there: what the job was given as `--until`, or fewer.
 * @throws Offence The first one, with the files and lines that show it.
 */
export function checkCounts(files: readonly CountedFile[], upto = 0): ExactCounts {
  const lines = files.flatMap(linesOf);
  const byKey = Map.groupBy(lines, ({ key }) => key);
  for (const [key, own] of byKey) {
    checkKey(
      key,
      own.toSorted((a, b) => a.count - b.count),
    );
  }
  const whole = checkNumbers(lines);
  if (whole < upto) throw new Offence(`lost: number ${whole} is missing of those up to ${upto}`);
  const byFields = new Map<number, number>();
  for (const { fields } of lines) byFields.set(fields, (byFields.get(fields) ?? 0) + 1);
  return { lines: lines.length, keys: byKey.size, byFields, whole };
}
