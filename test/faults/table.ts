// How rows are told to people: a line when each is done, a table at the end.
import { printLine, renderTable } from "../../jobs/cli/output.ts";
import type { Row } from "./suite.ts";

/** What is said of a row as soon as it is done; what was broken in lines of its own. */
export function linesOf({ fault, group, held, checked, seconds, broken, tried, ends }: Row): string[] {
  const times = tried === 1 ? "" : `, ${tried} times`;
  const sign = broken.length === 0 ? "✓" : "✗";
  return [
    `${sign} ${group}: ${fault}${times}: ${held}/${checked} held, ended ${ends.join(", ")} (${seconds.toFixed(0)} s)`,
    ...broken.map((how) => `    ${how.replaceAll("\n", "\n    ")}`),
  ];
}

/** @param seconds Of all of it. @param what Rows are called so. */
export function printRows(rows: readonly Row[], seconds: number, what: string): void {
  printLine();
  printLine(
    renderTable(
      ["GROUP", "FAULT", "TRIED", "HELD", "ENDED", "SECONDS"],
      rows.map(({ group, fault, tried, held, checked, ends, seconds: took, broken }) => [
        ...[group, fault, String(tried), `${held}/${checked}${broken.length === 0 ? "" : " BROKEN"}`],
        ...[ends.join(", "), took.toFixed(0)],
      ]),
    ),
  );
  const tries = rows.reduce((sum, { tried }) => sum + tried, 0);
  const broken = rows.filter((row) => row.broken.length > 0).length;
  printLine();
  printLine(
    `${rows.length} ${what}, ${tries} tries, ${broken === 0 ? "all invariants held" : `${broken} broken`}, ${seconds} s.`,
  );
}
