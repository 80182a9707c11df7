/** A form for the parameters of an algorithm, made from its JSON Schema. */
import { formatNumber, title } from "./format";

export interface ParameterSchema {
  type?: string | string[];
  enum?: (string | number | null)[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  default?: ParameterDefault;
  title?: string;
  description?: string;
  "x-group"?: string;
  "x-order"?: number;
  "x-unit"?: string;
  "x-task"?: string;
  "x-when"?: Record<string, string[]>;
}

export type ParameterValue = number | string | null;
/** An object has a number per feature; a list has numbers. */
export type ParameterDefault = ParameterValue | Record<string, number> | number[];

export interface Parameter {
  name: string;
  kind: "integer" | "number" | "choice" | "text";
  nullable: boolean;
  choices: string[];
  minimum: number | null;
  maximum: number | null;
  default: ParameterDefault;
  /** The label in the form: `Trees`. */
  label: string;
  description: string;
  group: string;
  order: number;
  unit: string | null;
  /** The only task on which the parameter has an effect; null for every task. */
  task: string | null;
  /** Other parameters, each with its values for which this parameter has an effect. */
  when: [name: string, values: string[]][];
}

/** The parameters of `GET /algorithms`, in the order that the server specifies. */
export function parametersOf(schema: unknown): Parameter[] {
  const properties = (schema as { properties?: Record<string, ParameterSchema> } | null)?.properties ?? {};
  const parameters = Object.entries(properties).map(([name, property]) => parameterOf(name, property));
  return parameters.sort((one, other) => one.order - other.order);
}

/** The group of parameters that few jobs change. */
export const ADVANCED = "advanced";

/** The parameters by group, in the order that the server specifies. */
export function groupsOf(parameters: Parameter[]): [group: string, parameters: Parameter[]][] {
  const groups = new Map<string, Parameter[]>();
  for (const parameter of parameters) groups.set(parameter.group, [...(groups.get(parameter.group) ?? []), parameter]);
  return [...groups];
}

/**
 * Whether a parameter has an effect on this task with these values. A parameter that is filled in stays visible, so that the form
 * never sends a hidden value.
 */
export function isRelevant(
  parameter: Parameter,
  parameters: Parameter[],
  task: string | null,
  draft: Record<string, string>,
): boolean {
  if ((draft[parameter.name] ?? "").trim() !== "") return true;
  if (parameter.task !== null && task !== null && parameter.task !== task) return false;
  return parameter.when.every(([name, values]) => {
    const other = parameters.find((one) => one.name === name);
    return other === undefined || values.includes(draft[name]?.trim() || textOf(other.default));
  });
}

function parameterOf(name: string, schema: ParameterSchema): Parameter {
  const types = [schema.type ?? []].flat();
  const choices = (schema.enum ?? []).filter((value) => value !== null).map(String);
  const numeric = types.includes("integer") ? "integer" : types.includes("number") ? "number" : "text";
  return {
    name,
    kind: choices.length > 0 ? "choice" : numeric,
    nullable: types.includes("null") || (schema.enum ?? []).includes(null),
    choices,
    minimum: schema.minimum ?? schema.exclusiveMinimum ?? null,
    maximum: schema.maximum ?? null,
    default: schema.default ?? null,
    label: schema.title ?? title(name),
    // The API has null for the default, and the form has an empty field.
    description: (schema.description ?? "").replace(/\bnull means\b/, "empty means"),
    group: schema["x-group"] ?? ADVANCED,
    order: schema["x-order"] ?? Number.MAX_SAFE_INTEGER,
    unit: schema["x-unit"] ?? null,
    task: schema["x-task"] ?? null,
    when: Object.entries(schema["x-when"] ?? {}),
  };
}

/** The bounds in words: `1 to 2,000`. */
export function boundsOf({ minimum, maximum }: Parameter): string | null {
  if (minimum !== null && maximum !== null) return `${bound(minimum)} to ${bound(maximum)}`;
  if (minimum !== null) return `${bound(minimum)} or more`;
  return maximum !== null ? `${bound(maximum)} or less` : null;
}

/** A bound in full: rounded like other numbers, a small bound would be 0. */
function bound(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-4 ? String(value) : formatNumber(value);
}

/** The default as the placeholder of an input. The description explains a default of null. */
export function placeholderOf({ default: standard }: Parameter): string {
  if (standard === null) return "default";
  if (typeof standard === "object") return Object.keys(standard).length === 0 ? "none" : JSON.stringify(standard);
  return String(standard);
}

/** The value of an input, or what is wrong with the text. An empty text is the default. */
export function parseParameter(
  parameter: Parameter,
  text: string,
): { value: ParameterValue | undefined } | { error: string } {
  const trimmed = text.trim();
  if (trimmed === "") return { value: undefined };
  if (parameter.nullable && trimmed === "null") return { value: null };
  if (parameter.kind === "choice" || parameter.kind === "text") return { value: trimmed };
  const value = Number(trimmed);
  const whole = parameter.kind === "integer";
  const outside = value < (parameter.minimum ?? -Infinity) || value > (parameter.maximum ?? Infinity);
  if (!Number.isFinite(value) || (whole && !Number.isInteger(value)) || outside) {
    const bounds = boundsOf(parameter);
    return { error: `must be a ${whole ? "whole number" : "number"}${bounds ? ` from ${bounds}` : ""}` };
  }
  return { value };
}

/** The `params` of a request, and the errors by parameter. Parameters with their default are left out. */
export function parseParameters(
  parameters: Parameter[],
  draft: Record<string, string>,
): { params: Record<string, ParameterValue>; errors: Record<string, string> } {
  const params: Record<string, ParameterValue> = {};
  const errors: Record<string, string> = {};
  for (const parameter of parameters) {
    const parsed = parseParameter(parameter, draft[parameter.name] ?? "");
    if ("error" in parsed) errors[parameter.name] = parsed.error;
    else if (parsed.value !== undefined) params[parameter.name] = parsed.value;
  }
  return { params, errors };
}

/** The draft of a cloned job: only values that differ from the default. */
export function draftOf(parameters: Parameter[], params: Record<string, ParameterDefault>): Record<string, string> {
  const texts = Object.entries(params).map(([name, value]): [string, string] => [name, textOf(value)]);
  const standard = Object.fromEntries(parameters.map((parameter) => [parameter.name, textOf(parameter.default)]));
  return Object.fromEntries(texts.filter(([name, text]) => name in standard && standard[name] !== text));
}

/** A value as the text of an input. */
export function textOf(value: ParameterDefault): string {
  return value !== null && typeof value === "object" ? JSON.stringify(value) : String(value);
}
