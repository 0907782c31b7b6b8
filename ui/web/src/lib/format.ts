/** Display of numbers, money and time. Every function takes null and answers with a dash. */

import type { Money } from "../api/types";

export const DASH = "–";
const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

export function count(value: number | null | undefined): string {
  return value === null || value === undefined || Number.isNaN(value) ? DASH : whole.format(value);
}

/** A share 0..1 as a percentage; small shares keep two decimals. */
export function share(value: number | null | undefined, digits?: number): string {
  if (value === null || value === undefined || Number.isNaN(value)) return DASH;
  const places = digits ?? (Math.abs(value) < 0.01 ? 2 : Math.abs(value) < 0.1 ? 1 : 0);
  return `${(value * 100).toFixed(places)}%`;
}

export function money(value: Money | null | undefined): string {
  if (!value) return DASH;
  if (value.minor !== null && value.minor !== undefined) return euros(value.minor / 100, value.currency ?? "EUR");
  return value.display || DASH;
}

let ownCurrency = "EUR";

/** The workspace's currency, as its figures say it; amounts that name none are in it. */
export function setCurrency(code: string | null | undefined): void {
  if (code && /^[A-Z]{3}$/.test(code)) ownCurrency = code;
}

/** As the engine writes money: €4.12 M, €12,345, €3.40. */
export function euros(major: number, currency = ownCurrency): string {
  const size = Math.abs(major);
  const millions = size >= 999_995;
  const places = millions || size < 1000 ? 2 : 0;
  const text = new Intl.NumberFormat("en-GB", { style: "currency", currency, minimumFractionDigits: places, maximumFractionDigits: places });
  return `${major < 0 ? "−" : ""}${text.format(millions ? size / 1e6 : size)}${millions ? " M" : ""}`;
}

/** The sign before an amount: "€", "£". */
export function symbol(): string {
  return new Intl.NumberFormat("en-GB", { style: "currency", currency: ownCurrency }).formatToParts(0).find((part) => part.type === "currency")?.value ?? ownCurrency;
}

/** Units whose values are money: integer minor units, wherever the server sends them. */
export function isMoney(unit: string | null | undefined): boolean {
  return unit === "money" || unit === "EUR" || unit === "minor";
}

export function asDate(iso: string | null | undefined): Date | null {
  if (!iso) return null;
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? null : date;
}

// The engine's names: Intl writes "Sept" in British English, where every text of the server says "Sep".
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

interface Parts { weekday: string; date: string; year: string; time: string }

function partsOf(date: Date, zone?: string): Parts {
  const options: Intl.DateTimeFormatOptions = { weekday: "short", day: "numeric", month: "numeric", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (zone) options.timeZone = zone;
  const found = Object.fromEntries(new Intl.DateTimeFormat("en-GB", options).formatToParts(date).map((part) => [part.type, part.value]));
  return {
    weekday: found["weekday"] ?? "", date: `${Number(found["day"])} ${MONTHS[Number(found["month"]) - 1] ?? ""}`,
    year: found["year"] ?? "", time: `${found["hour"]}:${found["minute"]}`,
  };
}

/** "20 Nov, 13:05", in the bank's zone where it is given; pages take `useWhen`, which knows it. */
export function when(iso: string | null | undefined, zone?: string): string {
  const date = asDate(iso);
  if (!date) return DASH;
  const parts = partsOf(date, zone);
  return `${parts.date}, ${parts.time}`;
}

/** A calendar day ("2026-11-20") as "Fri 20 Nov", without shifting it by the reader's time zone. */
export function day(iso: string | null | undefined): string {
  if (!iso) return DASH;
  const date = asDate(/^\d{4}-\d\d-\d\d$/.test(iso) ? `${iso}T12:00:00` : iso);
  if (!date) return iso;
  const parts = partsOf(date);
  return `${parts.weekday} ${parts.date}`;
}

/** The demo clock's face: "Fri 20 Nov 2026, 13:05". */
export function clockFace(date: Date, zone?: string): string {
  const parts = partsOf(date, zone);
  return `${parts.weekday} ${parts.date} ${parts.year}, ${parts.time}`;
}

/** Distance in time from `now`: "27 min ago", "in 2 d". */
export function ago(iso: string | null | undefined, now: number): string {
  const date = asDate(iso);
  if (!date) return DASH;
  const seconds = (now - date.getTime()) / 1000;
  const text = span(Math.abs(seconds));
  if (text === "now") return "just now";
  return seconds >= 0 ? `${text} ago` : `in ${text}`;
}

export function span(seconds: number): string {
  if (seconds < 45) return "now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min`;
  if (seconds < 86_400 * 1.5) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

export function milliseconds(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "";
  return ms < 100 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** A value of a chart or table with its unit. */
export function withUnit(value: number, unit: string | null | undefined): string {
  switch (unit) {
    case "percent": case "share": case "rate": return share(value, 2);
    case "points": return `${value > 0 ? "+" : ""}${(value * 100).toFixed(2)} pp`;
    case "%": return `${value.toFixed(2)}%`;
    case "months": return `${value.toFixed(1)} months`;
    case "count": return count(value);
    case "money": case "EUR": case "minor": return euros(value / 100);
    default: return Number.isInteger(value) || Math.abs(value) >= 1000 ? count(value) : value.toFixed(2);
  }
}

export function capital(text: string): string {
  return text ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}
