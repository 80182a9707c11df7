/** Server-Sent Events over `fetch`, because `EventSource` sends no Authorization header. */

export interface ServerEvent {
  id: string;
  event: string;
  data: string;
}

/** Splits a stream into events. Text of an incomplete event stays in `rest`. */
export function parseEvents(text: string): { events: ServerEvent[]; rest: string } {
  const blocks = text.replaceAll("\r\n", "\n").split("\n\n");
  const rest = blocks.pop() ?? "";
  const events: ServerEvent[] = [];
  for (const block of blocks) {
    const event: ServerEvent = { id: "", event: "message", data: "" };
    const lines: string[] = [];
    for (const line of block.split("\n")) {
      const colon = line.indexOf(":");
      if (colon <= 0) continue;
      const value = line.slice(colon + 1).replace(/^ /, "");
      const field = line.slice(0, colon);
      if (field === "data") lines.push(value);
      else if (field === "id") event.id = value;
      else if (field === "event") event.event = value;
    }
    if (lines.length > 0) events.push({ ...event, data: lines.join("\n") });
  }
  return { events, rest };
}

/** Reads a response until its end. */
export async function readEvents(response: Response, each: (events: ServerEvent[]) => void): Promise<void> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (reader) {
    const { done, value } = await reader.read();
    if (done) return;
    const parsed = parseEvents(rest + value);
    rest = parsed.rest;
    if (parsed.events.length > 0) each(parsed.events);
  }
}
