import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "../../api/client";
import type { AccountView } from "../../api/operate-queries";
import { fieldsOf, messageOf } from "../../api/problem";
import type { components } from "../../api/schema";
import { exactTime } from "../../lib/time";
import { Dialog } from "../../ui/dialog";
import { Field } from "../../ui/field";
import { SecretDialog } from "../../ui/secret-dialog";
import { toast } from "../../ui/toast";
import { type Role, RoleField } from "../role-field";

type Invited = components["schemas"]["InvitedView"];
export type OneTime = Invited & { isNew: boolean };

interface InviteProps {
  onInvited: (invited: Invited) => void;
  onClose: () => void;
}

export function InviteDialog({ onInvited, onClose }: InviteProps) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("user");
  const invite = useMutation({
    mutationFn: () => data(api.POST("/admin/users", { body: { email: email.trim(), role } })),
    onSuccess: onInvited,
  });
  const refused = fieldsOf(invite.error);
  return (
    <Dialog
      title="Invite a person"
      action="Invite"
      dismiss="Cancel"
      busy={invite.isPending}
      disabled={!/^\S+@\S+$/.test(email.trim())}
      onAction={() => invite.mutate()}
      onClose={onClose}
    >
      <p>You get a one-time password to hand over. Its owner sets a password of their own at the first sign-in.</p>
      <Field label="E-mail" error={refused.email ?? (invite.error ? messageOf(invite.error) : null)}>
        {(props) => (
          <input
            {...props}
            type="email"
            autoComplete="off"
            className="control"
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        )}
      </Field>
      <RoleField
        hint="Administrators train, promote and delete; users read models and predict."
        role={role}
        onChange={setRole}
      />
    </Dialog>
  );
}

/** Shows a one-time password, which nobody can read again. */
export function OneTimePassword({
  email,
  one_time_password,
  one_time_password_expires_at,
  isNew,
  onClose,
}: OneTime & { onClose: () => void }) {
  return (
    <SecretDialog
      title={isNew ? `${email} is invited` : `The password of ${email} is reset`}
      about="This one-time password is shown only now. Hand it over in a safe way; it works for one sign-in."
      secret={one_time_password}
      testId="one-time-password"
      expiry={`It expires at ${exactTime(one_time_password_expires_at)}.`}
      onClose={onClose}
    />
  );
}

export type AccountAction = "promote" | "disable" | "reset" | "delete";

const QUESTIONS: Record<AccountAction, { title: string; action: string; about: string; danger: boolean }> = {
  promote: {
    title: "Make {} an administrator?",
    action: "Make administrator",
    about: "Administrators can read, change and delete everything, also accounts.",
    danger: false,
  },
  disable: {
    title: "Disable {}?",
    action: "Disable",
    about:
      "All sessions of the account end at once, and it can't sign in until it is enabled again. Its jobs continue.",
    danger: true,
  },
  reset: {
    title: "Reset the password of {}?",
    action: "Reset the password",
    about: "The password stops working and all sessions of the account end. You get a one-time password to hand over.",
    danger: true,
  },
  delete: {
    title: "Delete {}?",
    action: "Delete for good",
    about: "All sessions of the account end. Its jobs, datasets and schedules stay, and the audit log keeps its id.",
    danger: true,
  },
};

interface ConfirmProps {
  action: AccountAction;
  account: AccountView;
  onReset: (reset: Invited) => void;
  onClose: () => void;
}

export function ConfirmAccount({ action, account, onReset, onClose }: ConfirmProps) {
  const params = { path: { id: account.id } };
  const { title, about, danger, action: label } = QUESTIONS[action];
  const run = useMutation({
    mutationFn: async () => {
      if (action === "reset") onReset(await data(api.POST("/admin/users/{id}/reset-password", { params })));
      else if (action === "delete") await data(api.DELETE("/admin/users/{id}", { params }));
      else {
        const body = action === "promote" ? ({ role: "admin" } as const) : { disabled: true };
        await data(api.PATCH("/admin/users/{id}", { params, body }));
      }
    },
    onSuccess: () => {
      const done = { promote: "is an administrator now", disable: "is disabled", reset: "", delete: "is deleted" }[
        action
      ];
      if (done) toast.done(`${account.email} ${done}.`);
      onClose();
    },
    onError: (error) => {
      toast.failed(error);
      onClose();
    },
  });
  return (
    <Dialog
      title={title.replace("{}", account.email)}
      action={label}
      danger={danger}
      busy={run.isPending}
      onAction={() => run.mutate()}
      onClose={onClose}
    >
      <p>{about}</p>
    </Dialog>
  );
}
