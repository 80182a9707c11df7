import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "../../api/client";
import { type AccountView, operate } from "../../api/operate-queries";
import { useSession } from "../../session/use-session";
import { Badge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { MoreButton } from "../../ui/more";
import { Page } from "../../ui/page";
import { MenuItem, Popover } from "../../ui/popover";
import { ErrorState, Loading } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { Time } from "../../ui/time";
import { toast } from "../../ui/toast";
import { type AccountAction, ConfirmAccount, InviteDialog, type OneTime, OneTimePassword } from "./user-dialogs";

export function UsersPage() {
  const state = useSession();
  const client = useQueryClient();
  const users = useInfiniteQuery(operate.users());
  const [inviting, setInviting] = useState(false);
  const [asked, setAsked] = useState<{ action: AccountAction; account: AccountView } | null>(null);
  const [oneTime, setOneTime] = useState<OneTime | null>(null);
  const own = state.status === "signed-in" ? state.account.id : "";
  const refresh = () => client.invalidateQueries({ queryKey: ["users"] });
  const change = useMutation({
    mutationFn: ({ account, ...body }: { account: AccountView; role?: "user" | "admin"; disabled?: boolean }) =>
      data(api.PATCH("/admin/users/{id}", { params: { path: { id: account.id } }, body })),
    onSuccess: ({ email, role, disabled }, { disabled: changed }) =>
      toast.done(
        changed === undefined ? `${email} has the role ${role}.` : `${email} is ${disabled ? "disabled" : "enabled"}.`,
      ),
    onError: toast.failed,
    onSettled: refresh,
  });
  const actions = (account: AccountView, close: () => void) => {
    const ask = (action: AccountAction) => () => {
      close();
      setAsked({ action, account });
    };
    const apply = (body: { role?: "user" | "admin"; disabled?: boolean }) => () => {
      close();
      change.mutate({ account, ...body });
    };
    return (
      <>
        {account.role === "user" ? (
          <MenuItem onClick={ask("promote")}>Make administrator…</MenuItem>
        ) : (
          <MenuItem onClick={apply({ role: "user" })}>Make user</MenuItem>
        )}
        <MenuItem onClick={ask("reset")}>Reset the password…</MenuItem>
        {account.disabled ? (
          <MenuItem onClick={apply({ disabled: false })}>Enable</MenuItem>
        ) : (
          <MenuItem onClick={ask("disable")}>Disable…</MenuItem>
        )}
        <MenuItem danger onClick={ask("delete")}>
          Delete…
        </MenuItem>
      </>
    );
  };
  const columns: Column<AccountView>[] = [
    {
      name: "Account",
      cell: ({ id, email }) => (
        <span className="break-all">
          <span className="font-medium">{email}</span>
          {id === own && <span className="text-soft"> (you)</span>}
        </span>
      ),
    },
    { name: "Role", cell: ({ role }) => <Badge tone={role === "admin" ? "accent" : "neutral"}>{role}</Badge> },
    {
      name: "State",
      cell: ({ disabled }) => (disabled ? <Badge tone="bad">disabled</Badge> : <Badge tone="good">active</Badge>),
      wide: true,
    },
    { name: "Created", cell: ({ created_at }) => <Time at={created_at} />, wide: true },
    {
      name: "Actions",
      hiddenName: true,
      numeric: true,
      // A person can't lock themselves out here; another administrator can.
      cell: (account) =>
        account.id !== own && (
          <Popover label={`Change ${account.email}`} content={(close) => actions(account, close)}>
            Change
          </Popover>
        ),
    },
  ];
  const items = users.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page
      title="Users"
      about="People with an account. A change applies to their next request."
      actions={
        <Button look="primary" onClick={() => setInviting(true)}>
          Invite a person
        </Button>
      }
    >
      {users.isError && items.length === 0 ? (
        <ErrorState error={users.error} retry={() => void users.refetch()} />
      ) : users.isPending ? (
        <Loading />
      ) : (
        <>
          <Table label="Users" columns={columns} rows={items} rowKey={({ id }) => id} />
          <MoreButton list={users} />
        </>
      )}
      {inviting && (
        <InviteDialog
          onInvited={(invited) => {
            setInviting(false);
            setOneTime({ ...invited, isNew: true });
            void refresh();
          }}
          onClose={() => setInviting(false)}
        />
      )}
      {asked && (
        <ConfirmAccount
          {...asked}
          onReset={(reset) => setOneTime({ ...reset, isNew: false })}
          onClose={() => {
            setAsked(null);
            void refresh();
          }}
        />
      )}
      {oneTime && <OneTimePassword {...oneTime} onClose={() => setOneTime(null)} />}
    </Page>
  );
}
