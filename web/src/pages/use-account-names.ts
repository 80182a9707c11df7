import { useInfiniteQuery } from "@tanstack/react-query";
import { type AccountView, operate } from "../api/operate-queries";
import { shortId } from "../lib/format";
import { isAdmin } from "../session/session";
import { useSession } from "../session/use-session";

export interface AccountNames {
  /** The accounts that are known: all for administrators, only the own one for others. */
  accounts: Pick<AccountView, "id" | "email">[];
  /** The e-mail address of an account, or the end of its id. */
  nameOf: (id: string) => string;
}

/** Who an account is. A deleted account has its id only. */
export function useAccountNames(): AccountNames {
  const state = useSession();
  const users = useInfiniteQuery({ ...operate.users(), enabled: isAdmin(state), staleTime: 60_000 });
  const own = state.status === "signed-in" ? [state.account] : [];
  const others = users.data?.pages.flatMap((page) => page.items) ?? [];
  const accounts = [...own, ...others.filter(({ id }) => id !== own[0]?.id)];
  const emails = new Map(accounts.map(({ id, email }) => [id, email]));
  return { accounts, nameOf: (id) => emails.get(id) ?? shortId(id) };
}
