import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useRouter, useSearch } from "@tanstack/react-router";
import { type ReactNode, useEffect, useState } from "react";
import { fieldsOf, messageOf } from "../api/problem";
import { settings } from "../api/settings";
import { nextPage } from "../router";
import { session } from "../session/session";
import { Logo } from "../shell/icons";
import { AwayNotice } from "../shell/shell";
import { Button } from "../ui/button";
import { Field } from "../ui/field";
import { Form, Problem } from "../ui/form";
import { Toasts, toast } from "../ui/toast";

const PASSWORD_BYTES = { least: 8, most: 72 };

export function SignIn() {
  const search = useSearch({ from: "/sign-in" });
  const open = useQuery(settings).data?.signup_open ?? false;
  return (
    <Frame
      title="Sign in"
      notice={search.expired ? "Your session has ended. Sign in to continue on the same page." : null}
    >
      <Credentials action="Sign in" submit={session.signIn} isNew={false} next={search.next} />
      <p className="mt-4 text-center text-soft">
        {open ? (
          <>
            No account yet?{" "}
            <Link to="/sign-up" search={search} className="font-medium text-accent underline">
              Sign up
            </Link>
          </>
        ) : (
          "Accounts are created by an administrator."
        )}
      </p>
    </Frame>
  );
}

export function SignUp() {
  const search = useSearch({ from: "/sign-up" });
  const closed = useQuery(settings).data?.signup_open === false;
  return (
    <Frame title="Sign up" notice={closed ? "Sign-up is closed. Ask an administrator for an account." : null}>
      <Credentials action="Create account" submit={session.signUp} isNew next={search.next} />
      <p className="mt-4 text-center text-soft">
        Already registered?{" "}
        <Link to="/sign-in" search={search} className="font-medium text-accent underline">
          Sign in
        </Link>
      </p>
    </Frame>
  );
}

function Frame({ title, notice, children }: { title: string; notice: string | null; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Trainyard`;
  }, [title]);
  return (
    <>
      <AwayNotice />
      <main className="mx-auto flex min-h-[85dvh] w-full max-w-sm flex-col justify-center px-4 py-8">
        <div className="mb-6 flex items-center justify-center gap-2.5">
          <Logo />
          <h1 className="text-lg font-semibold tracking-tight">{title} to Trainyard</h1>
        </div>
        {notice && (
          <p role="status" className="mb-3 rounded-md bg-warn-soft px-3 py-2 text-warn">
            {notice}
          </p>
        )}
        <div className="card p-5">{children}</div>
      </main>
      <Toasts />
    </>
  );
}

interface CredentialsProps {
  action: string;
  submit: (email: string, password: string) => Promise<void>;
  /** Whether the account does not exist yet. */
  isNew: boolean;
  next: string | undefined;
}

function Credentials({ action, submit, isNew, next }: CredentialsProps) {
  const router = useRouter();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [checked, setChecked] = useState(false);
  const mutation = useMutation({
    // The page at the time of the submission: the router may already leave this page when the sign-in succeeds.
    mutationFn: (_page: string) => submit(email.trim(), password),
    onSuccess: async (_, page) => {
      await router.navigate({ href: page, replace: true });
      toast.done(isNew ? "Your account is ready." : "Signed in.");
    },
  });
  const refused = fieldsOf(mutation.error);
  const bytes = new TextEncoder().encode(password).length;
  const local = {
    email: /^\S+@\S+$/.test(email.trim()) ? null : "Enter an e-mail address, such as ada@example.com.",
    password:
      password === ""
        ? "Enter the password."
        : isNew && (bytes < PASSWORD_BYTES.least || bytes > PASSWORD_BYTES.most)
          ? `The password needs ${PASSWORD_BYTES.least} to ${PASSWORD_BYTES.most} bytes; it has ${bytes}.`
          : null,
  };
  const problem = mutation.error && Object.keys(refused).length === 0 ? messageOf(mutation.error) : null;
  return (
    <Form
      onSubmit={() => {
        setChecked(true);
        if (!local.email && !local.password) mutation.mutate(nextPage(next));
      }}
    >
      {problem && <Problem>{problem}</Problem>}
      <Field label="E-mail" error={(checked && local.email) || refused.email}>
        {(props) => (
          <input
            {...props}
            type="email"
            autoComplete="username"
            className="control"
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        )}
      </Field>
      <Field
        label="Password"
        error={(checked && local.password) || refused.password}
        hint={isNew ? "8 characters or more" : undefined}
      >
        {(props) => (
          <input
            {...props}
            type="password"
            autoComplete={isNew ? "new-password" : "current-password"}
            className="control"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        )}
      </Field>
      <Button type="submit" look="primary" className="w-full" busy={mutation.isPending}>
        {action}
      </Button>
    </Form>
  );
}
