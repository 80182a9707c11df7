import { classes } from "./classes";

interface Props {
  /** 0 to 1. */
  value: number;
  /** What makes progress, for screen readers. */
  label: string;
  thin?: boolean;
}

/** A progress bar. Its width is an attribute of SVG, because the Content-Security-Policy refuses inline styles. */
export function ProgressBar({ value, label, thin }: Props) {
  return (
    <>
      <progress className="sr-only" max={1} value={value} aria-label={label} />
      <svg
        className={classes("block overflow-hidden rounded-full", thin ? "h-1.5 w-20" : "h-2 w-full")}
        preserveAspectRatio="none"
        viewBox="0 0 100 8"
        aria-hidden="true"
      >
        <rect className="fill-raised" width="100" height="8" />
        <rect className="fill-accent" width={Math.min(1, value) * 100} height="8" />
      </svg>
    </>
  );
}
