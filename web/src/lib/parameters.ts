/** A form for the parameters of an algorithm, made from its JSON Schema. */

export interface ParameterSchema {
  type?: string | string[];
  enum?: (string | number | null)[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  default?: ParameterDefault;
  description?: string;
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
  description: string;
}

/** The parameters of `GET /algorithms`, in the order of their names. */
export function parametersOf(schema: unknown): Parameter[] {
  const properties = (schema as { properties?: Record<string, ParameterSchema> } | null)?.properties ?? {};
  return Object.entries(properties).map(([name, property]) => parameterOf(name, property));
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
    description: schema.description ?? "",
  };
}

/** The bounds in words: `1 to 2000`. */
export function boundsOf({ minimum, maximum }: Parameter): string | null {
  if (minimum !== null && maximum !== null) return `${minimum} to ${maximum}`;
  if (minimum !== null) return `${minimum} or more`;
  return maximum !== null ? `${maximum} or less` : null;
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
