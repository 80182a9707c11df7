import { useEffect, useState } from "react";
import { exactTime, refreshEvery, relativeTime } from "../lib/time";

interface Props {
  at: string | null | undefined;
  /** Without a tooltip of its own. */
  bare?: boolean;
}

/** A relative time; the exact one is its tooltip. */
export function Time({ at, bare }: Props) {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    if (!at) return;
    const timer = setTimeout(() => setNow(new Date()), refreshEvery(at, now));
    return () => clearTimeout(timer);
  }, [at, now]);
  if (!at) return <span className="text-soft">–</span>;
  return (
    <time dateTime={at} title={bare ? undefined : exactTime(at)} className="whitespace-nowrap">
      {relativeTime(at, now)}
    </time>
  );
}
