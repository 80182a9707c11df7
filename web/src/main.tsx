import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queryClient } from "./api/query-client";
import { applyTheme } from "./lib/theme";
import { router } from "./router";
import { session } from "./session/session";
import "./styles.css";

/** Another account must not see the data of the account before. */
function forgetDataOfOtherAccounts(): void {
  const accountId = () => {
    const state = session.get();
    return state.status === "signed-in" ? state.account.id : null;
  };
  let last = accountId();
  session.subscribe(() => {
    const now = accountId();
    if (now !== last) {
      queryClient.clear();
      last = now;
    }
    void router.invalidate();
  });
}

async function start(): Promise<void> {
  applyTheme();
  await session.start();
  forgetDataOfOtherAccounts();
  const root = document.getElementById("root");
  if (!root) throw new Error("index.html has no root element");
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
}

void start();
