import { type RefObject, useEffect, useRef } from "react";

interface Props {
  count: number;
  rowHeight: number;
  body: RefObject<HTMLElement | null>;
  toggle: (index: number) => void;
  open: (index: number) => void;
  clear: () => void;
  showFresh: () => void;
  selectAll: () => void;
}

/** The keys of the list, for its help. */
export const KEYS: readonly (readonly [string, string])[] = [
  ["/", "search"],
  ["j k", "next and previous job"],
  ["Enter", "open the job"],
  ["x", "select the job"],
  ["a", "select the shown jobs"],
  ["Esc", "end the selection"],
  ["n", "show new jobs"],
  ["?", "these keys"],
];

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  target.closest("input:not([type=checkbox]), textarea, select, dialog, [popover]") !== null;

/** Keys for the whole list. The row of the keyboard is the one with the focus. */
export function useJobKeys(props: Props): void {
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    // The row that gets the focus in the next frame: quick keys must not lose a step.
    let next: number | null = null;
    const row = () => {
      if (next !== null) return next;
      const focused = document.activeElement?.closest<HTMLElement>("[data-row]");
      return focused ? Number(focused.dataset.row) : -1;
    };
    const move = (by: number) => {
      const { count, rowHeight, body } = latest.current;
      const target = Math.max(0, Math.min(count - 1, row() + by));
      next = target;
      const top = (body.current?.getBoundingClientRect().top ?? 0) + target * rowHeight;
      // The header of the table and the selection cover the borders.
      const [above, below] = [top - 2 * rowHeight, top + 3 * rowHeight - window.innerHeight];
      if (above < 0) window.scrollBy({ top: above });
      else if (below > 0) window.scrollBy({ top: below });
      // The row exists after the next frame at the latest.
      requestAnimationFrame(() =>
        requestAnimationFrame(() => {
          if (next !== target) return;
          next = null;
          body.current?.querySelector<HTMLElement>(`[data-row="${target}"] a`)?.focus();
        }),
      );
    };
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const { toggle, open, clear, showFresh, selectAll } = latest.current;
      const inList = row() >= 0;
      const actions: Record<string, (() => void) | false> = {
        j: () => move(1),
        k: () => move(-1),
        ArrowDown: inList && (() => move(1)),
        ArrowUp: inList && (() => move(-1)),
        x: inList && (() => toggle(row())),
        o: inList && (() => open(row())),
        a: selectAll,
        n: showFresh,
        Escape: clear,
        "/": () => document.getElementById("job-search")?.focus(),
        "?": () => document.getElementById("job-keys")?.click(),
      };
      const action = actions[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}
