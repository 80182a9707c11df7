import { type RefObject, useEffect, useState } from "react";

/** Rows above and below the window that exist already, for quick scrolling and for the keyboard. */
const SPARE = 8;
/** The range changes in steps, so that most scroll events change nothing. */
const STEP = 4;

export interface RowRange {
  from: number;
  to: number;
}

/** The rows of a long list that the window shows; `body` begins with its first row, and all rows have the same height. */
export function useWindowRows(body: RefObject<HTMLElement | null>, count: number, rowHeight: number): RowRange {
  const [range, setRange] = useState<RowRange>({ from: 0, to: Math.ceil(window.innerHeight / rowHeight) + SPARE });
  useEffect(() => {
    let frame = 0;
    const measure = () => {
      frame = 0;
      const top = body.current?.getBoundingClientRect().top ?? 0;
      const first = Math.floor(-top / rowHeight) - SPARE;
      const from = Math.max(0, Math.floor(first / STEP) * STEP);
      const to = from + Math.ceil(window.innerHeight / rowHeight) + 2 * SPARE + STEP;
      setRange((before) => (before.from === from && before.to === to ? before : { from, to }));
    };
    const schedule = () => {
      frame ||= requestAnimationFrame(measure);
    };
    measure();
    window.addEventListener("scroll", schedule, { passive: true });
    window.addEventListener("resize", schedule);
    return () => {
      cancelAnimationFrame(frame);
      window.removeEventListener("scroll", schedule);
      window.removeEventListener("resize", schedule);
    };
  }, [body, rowHeight]);
  return { from: Math.min(range.from, Math.max(0, count - 1)), to: Math.min(range.to, count) };
}
