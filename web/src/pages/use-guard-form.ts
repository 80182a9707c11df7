import { useState } from "react";
import { fieldsOf, messageOf } from "../api/problem";
import { type GuardForm, type GuardRequest, parseGuard, serverErrors } from "../lib/guard";

/** The guard of a form: its fields, its errors here and of the server, and the request. */
export function useGuardForm(initial: GuardForm) {
  const [form, setForm] = useState(initial);
  const [checked, setChecked] = useState(false);
  const parsed = parseGuard(form);
  return {
    form,
    setForm,
    /** The errors of the fields; `error` is why the server refused the request. */
    errorsOf: (error: unknown) => ({
      ...serverErrors(fieldsOf(error)).errors,
      ...(checked && "errors" in parsed ? parsed.errors : {}),
    }),
    /** What the server refused besides the fields of the guard. */
    othersOf: (error: unknown): string[] => {
      if (!error) return [];
      const fields = fieldsOf(error);
      return Object.keys(fields).length === 0 ? [messageOf(error)] : serverErrors(fields).others;
    },
    /** Calls `send` with the guard, or shows what is wrong. */
    submit: (send: (guard: GuardRequest | null) => void) => {
      setChecked(true);
      if ("guard" in parsed) send(parsed.guard);
    },
  };
}
