import { describe, expect, it } from "vitest";
import { parseSse } from "../api/sse";
import { wordDiff } from "./diff";
import { toCsv } from "./download";
import { ago, clockFace, formatLike, parseDisplay, share } from "./format";
import { missingSlots, pieces, plain } from "./slots";

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
  it("reads displays", () => {
    expect(parseDisplay("€4.12 M")).toBeCloseTo(4_120_000);
    expect(parseDisplay("−0.3 pp")).toBeCloseTo(-0.3);
    expect(parseDisplay("none")).toBeNull();
  });
  it("scales an interval like the value beside it", () => {
    expect(formatLike(0.0661, "percent", { value: 0.0684, display: "6.84%" })).toBe("6.61%");
    expect(formatLike(6.61, "percent", { value: 6.84, display: "6.84%" })).toBe("6.61%");
    expect(formatLike(12_100_000, "money", { value: 18_234_000, display: "€182 k" })).toBe("€121,000");
  });
  it("shows shares, distances and the demo clock", () => {
    expect(share(0.0031)).toBe("0.31%");
    expect(ago("2026-11-20T12:38:00Z", Date.parse("2026-11-20T13:05:00Z"))).toBe("27 min ago");
    expect(clockFace(new Date("2026-11-20T13:05:00Z"), "Europe/Lisbon")).toBe("Fri 20 Nov 2026, 13:05");
  });
});

describe("toCsv", () => {
  it("quotes, and disarms formulas", () => {
    expect(toCsv([["a,b", '=1+1', -3, null]])).toBe("\"a,b\",'=1+1,-3,\r\n");
  });
});
