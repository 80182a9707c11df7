import { describe, expect, it } from "vitest";
import { boundsOf, draftOf, parametersOf, parseParameter, parseParameters, textOf } from "./parameters";

const SCHEMA = {
  type: "object",
  properties: {
    class_weight: { type: "string", enum: ["none", "balanced"], default: "none" },
    max_depth: { type: ["integer", "null"], minimum: 1, maximum: 64, default: null },
    n_trees: { type: "integer", minimum: 1, maximum: 2000, default: 100, description: "Number of trees." },
    test_size: { type: "number", minimum: 0.05, maximum: 0.5, default: 0.2 },
  },
};
const parameters = parametersOf(SCHEMA);
const [classWeight, maxDepth, trees, testSize] = parameters as [
  (typeof parameters)[0],
  (typeof parameters)[0],
  (typeof parameters)[0],
  (typeof parameters)[0],
];

describe("parameters", () => {
  it("reads types, bounds and defaults of the JSON Schema", () => {
    expect(classWeight).toMatchObject({ kind: "choice", choices: ["none", "balanced"], default: "none" });
    expect(maxDepth).toMatchObject({ kind: "integer", nullable: true, default: null });
    expect(trees).toMatchObject({ kind: "integer", nullable: false, description: "Number of trees." });
    expect(testSize.kind).toBe("number");
    expect(boundsOf(trees)).toBe("1 to 2000");
    expect(parametersOf(null)).toEqual([]);
  });

  it("refuses values out of bounds in words", () => {
    expect(parseParameter(trees, "1.5")).toEqual({ error: "must be a whole number from 1 to 2000" });
    expect(parseParameter(testSize, "0.6")).toEqual({ error: "must be a number from 0.05 to 0.5" });
    expect(parseParameter(trees, "many")).toHaveProperty("error");
  });

  it("sends only what differs from the default", () => {
    const { params, errors } = parseParameters(parameters, { n_trees: "50", max_depth: "", class_weight: "balanced" });
    expect(params).toEqual({ n_trees: 50, class_weight: "balanced" });
    expect(errors).toEqual({});
  });

  it("fills the form of a cloned job with the changed parameters", () => {
    const params = { n_trees: 50, max_depth: null, class_weight: "none", test_size: 0.2 };
    expect(draftOf(parameters, params)).toEqual({ n_trees: "50" });
  });

  it("writes an object as JSON, which the server reads", () => {
    const [signs] = parametersOf({ properties: { signs: { type: "object", default: {} } } }) as [
      (typeof parameters)[0],
    ];
    expect(textOf(signs.default)).toBe("{}");
    expect(draftOf([signs], { signs: {} })).toEqual({});
    const draft = draftOf([signs], { signs: { age: -1 } });
    expect(draft).toEqual({ signs: '{"age":-1}' });
    expect(parseParameters([signs], draft).params).toEqual({ signs: '{"age":-1}' });
  });
});
