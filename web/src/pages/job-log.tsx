import { useEffect, useRef, useState } from "react";
import { messageOf } from "../api/problem";
import { isFinal, type JobView } from "../api/queries";
import { download } from "../lib/download";
import { formatCount, plural } from "../lib/format";
import { exactTime } from "../lib/time";
import { Button } from "../ui/button";
import { classes } from "../ui/classes";
import { Panel } from "../ui/page";
import type { FollowedHistory } from "./use-job-history";

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** The end of the log is in view, within these pixels. */
const END_PX = 24;

const LEVELS: Record<string, string> = { error: "text-bad", warn: "text-warn" };

/** The log with search, following and download. */
export function JobLog({ history, job }: { history: FollowedHistory; job: JobView }) {
  const [search, setSearch] = useState("");
  const [follows, setFollows] = useState(true);
  const box = useRef<HTMLElement>(null);
  /** Scrolling up ends the following, so that lines can be read; scrolling to the end begins it again. */
  const follow = () => {
    const { current } = box;
    if (current) setFollows(current.scrollHeight - current.scrollTop - current.clientHeight < END_PX);
  };
  const lines = history.log.filter(({ message }) => message.toLowerCase().includes(search.toLowerCase()));
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new line scrolls the box
  useEffect(() => {
    if (follows && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [follows, lines.length]);
  const save = () => {
    const text = history.log.map(({ at, level, message }) => `${at} ${level} ${message}\n`).join("");
    download(`${job.name}-${job.job_id}.log`, text);
  };
  return (
    <Panel
      title="Log"
      aside={
        <div className="flex flex-wrap items-center gap-2">
          <input
            type="search"
            className="control w-40"
            aria-label="Search the log"
            placeholder="Search"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
          {!isFinal(job.status) && (
            <label className="flex items-center gap-1.5">
              <input
                type="checkbox"
                className="accent-accent-fill"
                checked={follows}
                onChange={(event) => setFollows(event.target.checked)}
              />
              follow
            </label>
          )}
          <Button disabled={history.log.length === 0} onClick={save}>
            Download
          </Button>
        </div>
      }
    >
      <p className="mb-2 text-xs text-soft empty:hidden">
        {[
          search && `${formatCount(lines.length)} of ${plural(history.log.length, "line")}.`,
          history.dropped > 0 && `The oldest ${plural(history.dropped, "line")} are left out.`,
        ]
          .filter(Boolean)
          .join(" ")}
      </p>
      {history.error ? (
        <p role="alert" className="text-bad">
          {messageOf(history.error)}
        </p>
      ) : lines.length === 0 ? (
        <p className="text-soft">
          {search
            ? "No line contains this text."
            : isFinal(job.status)
              ? "The log is empty."
              : "The log begins when a worker starts the job."}
        </p>
      ) : (
        <section
          ref={box}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region needs the keyboard
          tabIndex={0}
          aria-label="Lines of the log"
          className="max-h-[65dvh] overflow-auto"
          onScroll={follow}
        >
          <ol className="w-max min-w-full font-mono text-xs">
            {lines.map(({ id, at, level, message }) => (
              <li key={id} className="flex gap-3 py-0.5 hover:bg-raised">
                <time className="text-soft" dateTime={at} title={exactTime(at)}>
                  {CLOCK.format(new Date(at))}
                </time>
                <span className={classes("whitespace-pre", LEVELS[level])}>{message}</span>
              </li>
            ))}
          </ol>
        </section>
      )}
    </Panel>
  );
}
