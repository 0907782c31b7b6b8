import { ArrowDown, ArrowUp, ChevronsUpDown, Download } from "lucide-react";
import { useMemo, useState } from "react";
import type { Cell, Column, Table } from "../../../api/copilot.types";
import { downloadBlob, fileName, toCsv } from "../../../lib/download";
import { count, isMoney, withUnit } from "../../../lib/format";
import { cx } from "../../../lib/cx";
import { IconButton } from "../../../ui/Button";

const SHOWN = 10;
const NUMERIC = new Set(["count", "percent", "points", "money", "months", "number", "share", "rate", "%"]);

function compare(a: Cell, b: Cell): number {
  if (a === null) return 1;
  if (b === null) return -1;
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
}

function show(cell: Cell, column: Column | undefined): string {
  if (cell === null) return "–";
  return typeof cell === "number" ? withUnit(cell, column?.unit) : String(cell);
}

/** For a spreadsheet: plain numbers, money in whole units with its currency in the heading. */
function sheet(table: Table, rows: Cell[][]): Cell[][] {
  const head = table.columns.map((column) => (isMoney(column.unit) ? `${column.label} (EUR)` : column.label));
  return [head, ...rows.map((row) => row.map((cell, i) => (typeof cell === "number" && isMoney(table.columns[i]?.unit) ? cell / 100 : cell)))];
}

/** `name` is what the saved file is called when the table has no title of its own. */
export function AnswerTable({ table, name }: { table: Table; name: string }) {
  const [sort, setSort] = useState<{ column: number; down: boolean } | null>(null);
  const [all, setAll] = useState(false);
  const rows = useMemo(() => (sort ? table.rows.toSorted((a, b) => compare(a[sort.column] ?? null, b[sort.column] ?? null) * (sort.down ? -1 : 1)) : table.rows), [sort, table.rows]);
  const short = table.columns.map((_, i) => table.columns.length < 5 && table.rows.every((row) => String(row[i] ?? "").length <= 28));
  const numeric = table.columns.map((column, i) => NUMERIC.has(column.unit ?? "") || table.rows.some((row) => typeof row[i] === "number"));
  const toggle = (column: number) => setSort((old) => (old?.column === column ? (old.down ? { column, down: false } : null) : { column, down: true }));
  const save = () => downloadBlob(fileName(table.title || name, "csv"), new Blob([toCsv(sheet(table, rows))], { type: "text/csv" }));
  return (
    <div className="overflow-hidden rounded-xl border border-line bg-surface shadow-card" data-testid="answer-table">
      {table.title ? <h3 className="border-b border-line px-4 py-2.5 text-[13px] font-semibold">{table.title}</h3> : null}
      <div className="relative overflow-x-auto" tabIndex={0} role="group" aria-label={`${table.title || "Result table"}, scrollable`}>
        <table className="w-full text-left text-[13px] tabular">
          <thead className="bg-sunken text-xs text-muted">
            <tr>
              {table.columns.map((column, i) => {
                const active = sort?.column === i;
                const Icon = active ? (sort.down ? ArrowDown : ArrowUp) : ChevronsUpDown;
                return (
                  <th key={column.id} scope="col" aria-sort={active ? (sort.down ? "descending" : "ascending") : "none"} className={cx("px-2 py-1 font-medium", numeric[i] && "text-right")}>
                    <button type="button" onClick={() => toggle(i)} className="inline-flex h-7 items-center gap-1 rounded-md px-2 whitespace-nowrap hover:text-ink">{column.label}<Icon size={13} aria-hidden="true" /></button>
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody>
            {(all ? rows : rows.slice(0, SHOWN)).map((row, r) => (
              <tr key={r} className="border-t border-line">{table.columns.map((column, i) => <td key={column.id} className={cx("px-4 py-1.5", short[i] && "whitespace-nowrap", numeric[i] ? "text-right" : "font-medium")}>{show(row[i] ?? null, column)}</td>)}</tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="flex items-center justify-between border-t border-line px-3 py-1 text-xs text-muted">
        <span>{count(rows.length)} row{rows.length === 1 ? "" : "s"}{rows.length > SHOWN ? <button type="button" className="ml-2 font-medium text-accent-ink hover:underline" onClick={() => setAll(!all)}>{all ? "Show fewer" : "Show all"}</button> : null}</span>
        <IconButton label="Save the table as CSV" onClick={save}><Download size={15} aria-hidden="true" /></IconButton>
      </div>
    </div>
  );
}
