import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "../api/client";
import { fieldsOf, messageOf } from "../api/problem";
import { chooseTheme, chosenTheme, THEMES } from "../lib/theme";
import { session } from "../session/session";
import { useSession } from "../session/use-session";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Choice } from "../ui/choice";
import { Field } from "../ui/field";
import { Form, Problem } from "../ui/form";
import { Facts, Page, Panel } from "../ui/page";
import { Time } from "../ui/time";
import { toast } from "../ui/toast";
import { ApiKeys } from "./api-keys";

export function AccountPage() {
  const state = useSession();
  if (state.status !== "signed-in") return null;
  const { account, mustChangePassword } = state;
  return (
    <Page title="Account" about={account.email}>
      <div className="space-y-4">
        {mustChangePassword && (
          <p role="status" className="rounded-md bg-warn-soft px-3 py-2 text-warn">
            You signed in with a one-time password, which does not work again. Set a password of your own to continue.
          </p>
        )}
        <Panel title="Your account">
          <Facts
            items={[
              ["E-mail", account.email],
              ["Role", <Badge key="role">{account.role}</Badge>],
              ["Created", <Time key="created" at={account.created_at} />],
              ["May read", account.may_read.length > 0 ? ["models", ...account.may_read].join(", ") : "models"],
            ]}
          />
        </Panel>
        <Panel title="Appearance">
          <Appearance />
        </Panel>
        <Panel title="Change the password">
          <PasswordForm />
        </Panel>
        {/* The last panel, because its height changes when the keys arrive. */}
        <ApiKeys role={account.role} />
      </div>
    </Page>
  );
}

function Appearance() {
  const [theme, setTheme] = useState(chosenTheme);
  return (
    <Choice
      label="Theme"
      values={THEMES}
      value={theme}
      all="as the system"
      onChange={(next) => {
        chooseTheme(next);
        setTheme(next);
      }}
    />
  );
}

function PasswordForm() {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [checked, setChecked] = useState(false);
  const mutation = useMutation({
    mutationFn: () => data(api.PUT("/me/password", { body: { current_password: current, new_password: next } })),
    onSuccess: () => {
      session.passwordChanged();
      for (const clear of [setCurrent, setNext, setAgain]) clear("");
      setChecked(false);
      toast.done("The password is changed. Other sessions of your account have ended.");
    },
  });
  const refused = fieldsOf(mutation.error);
  const differs = again !== next ? "The two new passwords differ." : null;
  const problem = mutation.error && Object.keys(refused).length === 0 ? messageOf(mutation.error) : null;
  const fields = [
    {
      label: "Current password",
      value: current,
      set: setCurrent,
      error: refused.current_password,
      auto: "current-password",
    },
    { label: "New password", value: next, set: setNext, error: refused.new_password, auto: "new-password" },
    { label: "New password again", value: again, set: setAgain, error: checked ? differs : null, auto: "new-password" },
  ];
  return (
    <Form
      className="grid max-w-sm gap-4"
      onSubmit={() => {
        setChecked(true);
        if (!differs) mutation.mutate();
      }}
    >
      {problem && <Problem>{problem}</Problem>}
      {fields.map(({ label, value, set, error, auto }) => (
        <Field key={label} label={label} error={error}>
          {(props) => (
            <input
              {...props}
              type="password"
              autoComplete={auto}
              className="control"
              value={value}
              onChange={(event) => set(event.target.value)}
            />
          )}
        </Field>
      ))}
      <div>
        <Button type="submit" look="primary" busy={mutation.isPending}>
          Change the password
        </Button>
      </div>
    </Form>
  );
}
