import { describe, expect, it } from "vitest";
import { parseSse } from "../api/sse";
import { wordDiff } from "./diff";
import { toCsv } from "./download";
import { ago, clockFace, day, euros, share, when, withUnit } from "./format";
import { missingSlots, pieces, plain } from "./slots";
import { changeOf, tileColumns } from "./tiles";

describe("wordDiff", () => {
  it("gives both texts back", () => {
    const before = "Your card is waiting. Use it now!";
    const after = "Your Platinum card is ready when you are.";
    const parts = wordDiff(before, after);
    const side = (drop: string) => parts.filter((p) => p.op !== drop).map((p) => p.text).join("");
    expect(side("insert")).toBe(before);
    expect(side("delete")).toBe(after);
  });
  it("marks whole words only", () => {
    expect(wordDiff("earn 1%", "earn 10%")).toEqual([{ op: "equal", text: "earn " }, { op: "delete", text: "1%" }, { op: "insert", text: "10%" }]);
  });
});

describe("slots", () => {
  const figures = [{ text: "19.9% APR", term_id: "rewards-card.apr", version: 2 }];
  it("renders a slot by its term", () => {
    expect(plain("Credit at {term:rewards-card.apr@2}.", figures)).toBe("Credit at 19.9% APR.");
  });
  it("finds the figure in rendered text", () => {
    expect(pieces("Credit at 19.9% APR.", figures).map((p) => p.kind)).toEqual(["text", "figure", "text"]);
  });
  it("names each slot that an edit has lost, as often as it is missing", () => {
    expect(missingSlots("{term:a.b@1} {term:a.b@1}", "{term:a.b@1}")).toEqual(["{term:a.b@1}"]);
  });
});

describe("parseSse", () => {
  it("keeps an unfinished event for later and reads CRLF", () => {
    const { events, rest } = parseSse("event: step\r\ndata: {\"a\":1}\r\n\r\n: ping\r\n\r\nevent: mess");
    expect(events).toEqual([{ event: "step", data: '{"a":1}' }]);
    expect(rest).toBe("event: mess");
  });
});

describe("format", () => {
  it("reads money as minor units and writes it as the engine does", () => {
    expect(withUnit(18_234_000, "money")).toBe("€182,340");
    expect(withUnit(81_240, "money")).toBe("€812.40");
    expect(withUnit(-340, "money")).toBe("−€3.40");
    expect(euros(4_120_000)).toBe("€4.12 M");
  });
  it("names months as the engine does, also in September", () => {
    expect(day("2026-09-04")).toBe("Fri 4 Sep");
    expect(when("2026-09-04T12:05:00Z", "Europe/Lisbon")).toBe("4 Sep, 13:05");
    expect(clockFace(new Date("2026-09-04T23:05:00Z"), "Europe/Lisbon")).toBe("Sat 5 Sep 2026, 00:05");
  });
  it("shows shares, distances and the demo clock", () => {
    expect(share(0.0031)).toBe("0.31%");
    expect(ago("2026-11-20T12:38:00Z", Date.parse("2026-11-20T13:05:00Z"))).toBe("27 min ago");
    expect(clockFace(new Date("2026-11-20T13:05:00Z"), "Europe/Lisbon")).toBe("Fri 20 Nov 2026, 13:05");
  });
});

describe("changeOf", () => {
  const tile = { value: 0.06, unit: "percent", delta: 0.009, delta_display: "0.90 pp", better: "up" as const, interval: [0.057, 0.063] as const };
  it("colours a change when the value before lies outside the interval", () => {
    expect(changeOf(tile).tone).toBe("good");
    expect(changeOf({ ...tile, better: "down" }).tone).toBe("bad");
    expect(changeOf({ ...tile, delta: 0.002 }).tone).toBe("neutral");
  });
  it("believes the server when it says whether the change is significant", () => {
    expect(changeOf({ ...tile, significant: false }).tone).toBe("neutral");
    expect(changeOf({ ...tile, delta: 0.002, significant: true }).tone).toBe("good");
  });
  it("leaves a change below one percent grey, whether it is given as a share or in its own unit", () => {
    const amount = { ...tile, value: 14_872, unit: "count", interval: null };
    expect(changeOf({ ...amount, delta: -0.004, delta_display: "0.4%" })).toMatchObject({ way: "down", tone: "neutral" });
    expect(changeOf({ ...amount, delta: -0.04, delta_display: "4.0%" }).tone).toBe("bad");
    expect(changeOf({ ...amount, delta: 1204, delta_display: "1,204" }).tone).toBe("good");
    expect(changeOf({ ...amount, delta: 12, delta_display: "12" }).tone).toBe("neutral");
  });
});

describe("tileColumns", () => {
  it("leaves no tile alone on a wide screen", () => {
    expect([5, 6, 7, 8, 9, 10, 11, 12].map(tileColumns)).toEqual([3, 3, 4, 4, 3, 4, 4, 4]);
    expect([5, 6, 7, 8, 9, 10, 11, 12].filter((n) => n % tileColumns(n) === 1)).toEqual([]);
  });
});

describe("toCsv", () => {
  it("quotes, and disarms formulas", () => {
    expect(toCsv([["a,b", '=1+1', -3, null]])).toBe("\"a,b\",'=1+1,-3,\r\n");
  });
});
