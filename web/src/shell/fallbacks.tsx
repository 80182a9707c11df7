import { Link, useRouter } from "@tanstack/react-router";
import { buttonClass } from "../ui/button";
import { Page } from "../ui/page";
import { EmptyState, ErrorState } from "../ui/states";

export function NotFound() {
  return (
    <main>
      <Page title="Page not found">
        <EmptyState
          title="There is no page at this address"
          action={
            <Link to="/" className={buttonClass("primary")}>
              Go to the start
            </Link>
          }
        >
          The link may be old, or the address may be mistyped.
        </EmptyState>
      </Page>
    </main>
  );
}

/** For a page that the role of the account does not allow, also when its address is typed by hand. */
export function Forbidden() {
  return (
    <Page title="Not allowed">
      <EmptyState
        title="Your account may not open this page"
        action={
          <Link to="/models" className={buttonClass("primary")}>
            Go to the models
          </Link>
        }
      >
        Ask an administrator for the role admin, or for read access with <code>auth.users_may_read</code>.
      </EmptyState>
    </Page>
  );
}

/** An error of a page: the frame of the console stays. */
export function Failure({ error }: { error: unknown }) {
  const router = useRouter();
  return (
    <Page title="Error">
      <ErrorState error={error} retry={() => void router.invalidate()} />
    </Page>
  );
}
