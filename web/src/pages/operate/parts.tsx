import { Outlet } from "@tanstack/react-router";
import { operateParts } from "../../lib/operate";
import { useSession } from "../../session/use-session";
import { LinkTabs } from "../../ui/link-tabs";

/** The links between the parts, above each of them. */
export function OperateParts() {
  const parts = operateParts(useSession());
  return (
    <>
      <div className="mx-auto w-full max-w-6xl px-4 pt-3 sm:px-6">
        <LinkTabs label="Parts of Operate" items={parts} />
      </div>
      <Outlet />
    </>
  );
}
