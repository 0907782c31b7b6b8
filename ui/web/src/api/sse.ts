/** Server-sent events read from a fetch response: needed where the request is a POST. */

export interface SseEvent { event: string; data: string }

/** Splits a growing buffer into whole events; what is left over is returned as `rest`. */
export function parseSse(buffer: string): { events: SseEvent[]; rest: string } {
  const normal = buffer.replace(/\r\n?/g, "\n");
  const blocks = normal.split("\n\n");
  const rest = blocks.pop() ?? "";
  const events: SseEvent[] = [];
  for (const block of blocks) {
    let event = "message";
    const data: string[] = [];
    for (const line of block.split("\n")) {
      if (line.startsWith("event:")) event = line.slice(6).trim();
      else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
    }
    if (data.length > 0) events.push({ event, data: data.join("\n") });
  }
  return { events, rest };
}

/** Reads events until the stream ends; an aborted request throws AbortError. */
export async function* readSse(response: Response): AsyncGenerator<SseEvent> {
  if (!response.body) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let buffer = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      buffer += decoder.decode(value, { stream: true });
      // A lone CR at the end may be the first half of CRLF: wait for its other half.
      if (buffer.endsWith("\r")) continue;
      const { events, rest } = parseSse(buffer);
      buffer = rest;
      yield* events;
    }
    yield* parseSse(`${buffer}\n\n`).events;
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}
