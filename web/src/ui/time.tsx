import { useEffect, useState } from "react";
import { exactTime, refreshEvery, relativeTime } from "../lib/time";

/** A relative time; the exact one is its tooltip. */
export function Time({ at }: { at: string | null | undefined }) {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    if (!at) return;
    const timer = setTimeout(() => setNow(new Date()), refreshEvery(at, now));
    return () => clearTimeout(timer);
  }, [at, now]);
  if (!at) return <span className="text-soft">–</span>;
  return (
    <time dateTime={at} title={exactTime(at)} className="whitespace-nowrap">
      {relativeTime(at, now)}
    </time>
  );
}
