/** The frame of every page: navigation, notices, toasts. */
import { Link, type LinkProps, Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useStaleReason } from "../api/use-stale";
import { operateParts } from "../lib/operate";
import { isAdmin, mayRead, type SessionState, session } from "../session/session";
import { useIsAway, useSession } from "../session/use-session";
import { classes } from "../ui/classes";
import { Toasts, toast } from "../ui/toast";
import { Icon, type IconName, Logo } from "./icons";

interface Entry {
  to: NonNullable<LinkProps["to"]>;
  label: string;
  icon: IconName;
}

/** The pages that the account may open. */
function entries(state: SessionState): Entry[] {
  const all: (Entry | false)[] = [
    mayRead(state, "training") && { to: "/jobs", label: "Jobs", icon: "jobs" },
    { to: "/models", label: "Models", icon: "models" },
    { to: "/predict", label: "Predict", icon: "predict" },
    isAdmin(state) && { to: "/train", label: "Train", icon: "train" },
    mayRead(state, "datasets") && { to: "/datasets", label: "Datasets", icon: "datasets" },
    operateParts(state).length > 0 && { to: "/operate", label: "Operate", icon: "operate" },
  ];
  return all.filter((entry) => entry !== false);
}

export function Shell() {
  const state = useSession();
  const navigate = useNavigate();
  const signOut = async () => {
    try {
      await session.signOut();
      await navigate({ to: "/sign-in" });
      toast.done("Signed out.");
    } catch (error) {
      toast.failed(error);
    }
  };
  useFocusOfPage();
  const email = state.status === "signed-in" ? state.account.email : "";
  const pages = entries(state);
  return (
    <div className="flex min-h-dvh flex-col sm:flex-row">
      <a
        href="#content"
        className="sr-only z-50 rounded bg-panel px-3 py-2 focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the content
      </a>
      <header className="border-line sm:sticky sm:top-0 sm:flex sm:h-dvh sm:w-52 sm:shrink-0 sm:flex-col sm:border-r max-sm:flex max-sm:items-center max-sm:justify-between max-sm:border-b max-sm:px-4 max-sm:py-2">
        <Link to="/" className="flex items-center gap-2.5 text-base font-semibold tracking-tight sm:px-4 sm:py-4">
          <Logo />
          Trainyard
        </Link>
        <nav
          aria-label="Pages"
          className="max-sm:fixed max-sm:inset-x-0 max-sm:bottom-0 max-sm:z-40 max-sm:border-t max-sm:border-line max-sm:bg-panel sm:flex-1 sm:px-2"
        >
          <ul className="flex max-sm:justify-around sm:flex-col sm:gap-0.5">
            {pages.map(({ to, label, icon }) => (
              <li key={label} className="max-sm:flex-1">
                <Link
                  to={to}
                  activeOptions={{ exact: false, includeSearch: false }}
                  className="flex rounded-md text-soft hover:bg-raised hover:text-ink max-sm:flex-col max-sm:items-center max-sm:gap-0.5 max-sm:px-1 max-sm:py-2 max-sm:text-xs sm:items-center sm:gap-2.5 sm:px-2.5 sm:py-1.5"
                  activeProps={{ className: "font-medium text-ink! sm:bg-raised" }}
                >
                  <Icon name={icon} />
                  {label}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div className="flex items-center gap-1 sm:flex-col sm:items-stretch sm:border-t sm:border-line sm:p-2">
          <Link
            to="/account"
            aria-label={`Account ${email}`}
            title={email}
            className="flex min-w-0 items-center gap-2.5 rounded-md px-2.5 py-1.5 text-soft hover:bg-raised hover:text-ink"
          >
            <Icon name="account" />
            <span className="truncate max-sm:hidden">{email}</span>
          </Link>
          <button
            type="button"
            className="rounded-md px-2.5 py-1.5 text-left text-soft hover:bg-raised hover:text-ink sm:pl-9"
            onClick={() => void signOut()}
          >
            Sign out
          </button>
        </div>
      </header>
      <div className="min-w-0 flex-1 max-sm:pb-16">
        <AwayNotice />
        <main id="content" tabIndex={-1} className="outline-none">
          <Outlet />
        </main>
      </div>
      <Toasts />
    </div>
  );
}

/** Another page gets the focus, so that keyboard and screen reader continue there. */
function useFocusOfPage(): void {
  const { pathname } = useLocation();
  const shown = useRef(pathname);
  useEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    document.getElementById("content")?.focus({ preventScroll: true });
  }, [pathname]);
}

/** Reports that the server does not answer or can't read its data. The page stays and is updated when the server is back. */
export function AwayNotice() {
  const away = useIsAway();
  const stale = useStaleReason();
  const notice = away
    ? "Trainyard does not answer. What you see may be old; the page continues when the server is back."
    : stale &&
      `What you see may be old: ${stale.replace(/\.$/, "")}. The page is updated when the data can be read again.`;
  return (
    <div role="status" className={classes(notice && "border-b border-line bg-warn-soft px-4 py-2 text-warn sm:px-6")}>
      {notice}
    </div>
  );
}
