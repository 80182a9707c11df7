import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "../api/client";
import type { ApiKeyView, CreatedApiKey } from "../api/key-queries";
import { ApiError, messageOf } from "../api/problem";
import { expiryAfter, LIFETIMES } from "../lib/api-keys";
import { exactTime } from "../lib/time";
import { CopyButton } from "../ui/code";
import { Dialog } from "../ui/dialog";
import { Field } from "../ui/field";
import { toast } from "../ui/toast";

interface CreateProps {
  /** The role of the account, which the key can't exceed. */
  role: "user" | "admin";
  onCreated: (created: CreatedApiKey) => void;
  onClose: () => void;
}

export function CreateApiKey({ role: own, onCreated, onClose }: CreateProps) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<"user" | "admin">("user");
  const [lifetime, setLifetime] = useState("90 days");
  const create = useMutation({
    mutationFn: () => {
      const days = LIFETIMES.find((choice) => choice.name === lifetime)?.days ?? null;
      const body = { name: name.trim(), role, expires_at: expiryAfter(days, new Date()) };
      return data(api.POST("/api-keys", { body }));
    },
    onSuccess: onCreated,
  });
  const refused = create.error instanceof ApiError ? create.error.fields : {};
  return (
    <Dialog
      title="Create an API key"
      action="Create"
      dismiss="Cancel"
      busy={create.isPending}
      disabled={name.trim() === ""}
      onAction={() => create.mutate()}
      onClose={onClose}
    >
      <Field
        label="Name"
        hint="Such as the program that uses the key."
        error={refused.name ?? (create.error ? messageOf(create.error) : null)}
      >
        {(props) => (
          <input
            {...props}
            autoComplete="off"
            maxLength={64}
            className="control"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      {own === "admin" && (
        <Field
          label="Role"
          hint="A user key reads models and predicts; an admin key can also train, promote and delete."
        >
          {(props) => (
            <select
              {...props}
              className="control"
              value={role}
              onChange={(event) => setRole(event.target.value === "admin" ? "admin" : "user")}
            >
              <option value="user">user</option>
              <option value="admin">admin</option>
            </select>
          )}
        </Field>
      )}
      <Field label="Expires after">
        {(props) => (
          <select {...props} className="control" value={lifetime} onChange={(event) => setLifetime(event.target.value)}>
            {LIFETIMES.map((choice) => (
              <option key={choice.name} value={choice.name}>
                {choice.name}
              </option>
            ))}
          </select>
        )}
      </Field>
    </Dialog>
  );
}

/** Shows a new key, which nobody can read again. */
export function NewApiKey({ created, onClose }: { created: CreatedApiKey; onClose: () => void }) {
  const { name, key, expires_at } = created;
  return (
    <Dialog
      title={`The key ${name} is created`}
      action="I have copied it"
      dismiss={null}
      onAction={onClose}
      onClose={onClose}
    >
      <p>This key is shown only now. Store it like a password.</p>
      <div className="flex flex-wrap items-center gap-2 rounded-md bg-raised px-3 py-2">
        <code data-testid="api-key" className="min-w-0 flex-1 font-mono break-all text-ink">
          {key}
        </code>
        <CopyButton text={key} />
      </div>
      <p>{expires_at ? `It expires at ${exactTime(expires_at)}.` : "It does not expire."}</p>
    </Dialog>
  );
}

export function DeleteApiKey({ apiKey, onClose }: { apiKey: ApiKeyView; onClose: () => void }) {
  const remove = useMutation({
    mutationFn: () => data(api.DELETE("/api-keys/{id}", { params: { path: { id: apiKey.id } } })),
    onSuccess: () => toast.done(`The key ${apiKey.name} is deleted.`),
    onError: toast.failed,
    onSettled: onClose,
  });
  return (
    <Dialog
      title={`Delete the key ${apiKey.name}?`}
      action="Delete for good"
      danger
      busy={remove.isPending}
      onAction={() => remove.mutate()}
      onClose={onClose}
    >
      <p>Programs that use it are refused within five seconds.</p>
    </Dialog>
  );
}
