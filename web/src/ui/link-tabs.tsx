import { Link, type LinkProps, useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";

interface Props {
  label: string;
  items: readonly { to: NonNullable<LinkProps["to"]>; label: string }[];
}

/** Parts of a section, each a page of its own. */
export function LinkTabs({ label, items }: Props) {
  const nav = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  // On a phone the tabs are wider than the window.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page has another tab
  useEffect(() => {
    const current = nav.current?.querySelector<HTMLElement>("[aria-current=page]");
    if (nav.current && current)
      nav.current.scrollLeft = current.offsetLeft - nav.current.clientWidth / 2 + current.clientWidth / 2;
  }, [pathname]);
  return (
    <nav ref={nav} aria-label={label} className="relative overflow-x-auto border-b border-line">
      <ul className="flex gap-1">
        {items.map(({ to, label }) => (
          <li key={label}>
            <Link
              to={to}
              activeOptions={{ exact: false, includeSearch: false }}
              className="-mb-px block border-b-2 border-transparent px-3 py-2 font-medium whitespace-nowrap text-soft hover:text-ink"
              activeProps={{ className: "border-accent! text-ink!" }}
            >
              {label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
