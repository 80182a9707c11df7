import { describe, expect, it } from "vitest";
import { parseEvents, readEvents, type ServerEvent } from "./events";
import { addEvents, EMPTY_HISTORY } from "./job-events";

const log = (id: string, message: string): ServerEvent => ({
  id,
  event: "log",
  data: JSON.stringify({ at: "2026-03-01T12:00:00Z", level: "info", message }),
});
const metric = (id: string, step: number, value: number): ServerEvent => ({
  id,
  event: "metric",
  data: JSON.stringify({ name: "oob_accuracy", step, value }),
});

describe("events", () => {
  it("keeps the text of an incomplete event and skips comments", () => {
    const { events, rest } = parseEvents(": heartbeat\n\nid: a\nevent: log\ndata: {}\n\nid: b\nda");
    expect(events).toEqual([{ id: "a", event: "log", data: "{}" }]);
    expect(rest).toBe("id: b\nda");
  });

  it("joins the data lines of one event", () => {
    expect(parseEvents("data: one\r\ndata:two\r\n\r\n").events).toEqual([
      { id: "", event: "message", data: "one\ntwo" },
    ]);
  });

  it("reads events across chunks, also inside a character", async () => {
    const bytes = new TextEncoder().encode('id: 1\nevent: log\ndata: {"message":"größe"}\n\n');
    const stream = new ReadableStream({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const read: ServerEvent[] = [];
    await readEvents(new Response(stream), (events) => read.push(...events));
    expect(read).toEqual([{ id: "1", event: "log", data: '{"message":"größe"}' }]);
  });
});

describe("addEvents", () => {
  it("collects log lines and metrics and remembers the last event", () => {
    const history = addEvents(addEvents(EMPTY_HISTORY, [log("1", "begins"), metric("2", 1, 0.5)]), [
      metric("3", 2, 0.6),
    ]);
    expect(history.log.map(({ message }) => message)).toEqual(["begins"]);
    expect(history.metrics.oob_accuracy).toEqual([
      { step: 1, value: 0.5 },
      { step: 2, value: 0.6 },
    ]);
    expect(history.lastId).toBe("3");
  });

  it("begins a series again when a later attempt does", () => {
    const history = addEvents(EMPTY_HISTORY, [metric("1", 1, 0.5), metric("2", 2, 0.6), metric("3", 1, 0.4)]);
    expect(history.metrics.oob_accuracy).toEqual([{ step: 1, value: 0.4 }]);
  });

  it("leaves metrics without a step to the result of the job", () => {
    const result = { id: "3", event: "metric", data: '{"name":"oob_accuracy","value":0.7,"step":null}' };
    const history = addEvents(EMPTY_HISTORY, [metric("1", 1, 0.5), metric("2", 2, 0.6), result]);
    expect(history.metrics.oob_accuracy).toHaveLength(2);
  });

  it("ignores events that it does not know or can't read", () => {
    const history = addEvents(EMPTY_HISTORY, [
      { id: "9", event: "other", data: "{}" },
      { id: "10", event: "log", data: "no json" },
    ]);
    expect(history).toEqual({ log: [], metrics: {}, dropped: 0, lastId: "10" });
  });

  it("keeps the newest lines, and counts the others", () => {
    const lines = Array.from({ length: 3_000 }, (_, at) => ({
      id: String(at),
      event: "log",
      data: JSON.stringify({ at: "", level: "info", message: `line ${at}` }),
    }));
    const history = addEvents(addEvents(EMPTY_HISTORY, lines), lines);
    expect([history.log.length, history.dropped]).toEqual([5_000, 1_000]);
    expect(history.log[0]?.message).toBe("line 1000");
  });
});
