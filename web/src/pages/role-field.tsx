import { Field } from "../ui/field";
import { Select } from "../ui/inputs";

export type Role = "user" | "admin";

const ROLES: [Role, string][] = [
  ["user", "user"],
  ["admin", "admin"],
];

interface Props {
  /** What the roles may do. */
  hint: string;
  role: Role;
  onChange: (role: Role) => void;
}

/** The role of an account or an API key. */
export function RoleField({ hint, role, onChange }: Props) {
  return (
    <Field label="Role" hint={hint}>
      {(props) => <Select {...props} options={ROLES} value={role} onChange={onChange} />}
    </Field>
  );
}
