import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "../api/client";
import type { ApiKeyView, CreatedApiKey } from "../api/key-queries";
import { fieldsOf, messageOf } from "../api/problem";
import { expiryAfter, LIFETIMES } from "../lib/api-keys";
import { exactTime } from "../lib/time";
import { Dialog } from "../ui/dialog";
import { Field } from "../ui/field";
import { Select } from "../ui/inputs";
import { SecretDialog } from "../ui/secret-dialog";
import { toast } from "../ui/toast";
import { type Role, RoleField } from "./role-field";

interface CreateProps {
  /** The role of the account, which the key can't exceed. */
  role: Role;
  onCreated: (created: CreatedApiKey) => void;
  onClose: () => void;
}

export function CreateApiKey({ role: own, onCreated, onClose }: CreateProps) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("user");
  const [lifetime, setLifetime] = useState("90 days");
  const create = useMutation({
    mutationFn: () => {
      const days = LIFETIMES.find((choice) => choice.name === lifetime)?.days ?? null;
      const body = { name: name.trim(), role, expires_at: expiryAfter(days, new Date()) };
      return data(api.POST("/api-keys", { body }));
    },
    onSuccess: onCreated,
  });
  const refused = fieldsOf(create.error);
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
        <RoleField
          hint="A user key reads models and predicts; an admin key can also train, promote and delete."
          role={role}
          onChange={setRole}
        />
      )}
      <Field label="Expires after">
        {(props) => (
          <Select
            {...props}
            options={LIFETIMES.map(({ name }) => [name, name])}
            value={lifetime}
            onChange={setLifetime}
          />
        )}
      </Field>
    </Dialog>
  );
}

/** Shows a new key, which nobody can read again. */
export function NewApiKey({ created, onClose }: { created: CreatedApiKey; onClose: () => void }) {
  const { name, key, expires_at } = created;
  return (
    <SecretDialog
      title={`The key ${name} is created`}
      about="This key is shown only now. Store it like a password."
      secret={key}
      testId="api-key"
      expiry={expires_at ? `It expires at ${exactTime(expires_at)}.` : "It does not expire."}
      onClose={onClose}
    />
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
