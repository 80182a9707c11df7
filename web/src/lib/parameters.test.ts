import { describe, expect, it } from "vitest";
import {
  boundsOf,
  draftOf,
  groupsOf,
  isRelevant,
  type Parameter,
  parametersOf,
  parseParameter,
  parseParameters,
  placeholderOf,
  textOf,
} from "./parameters";

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
    expect(boundsOf(trees)).toBe("1 to 2,000");
    expect(parametersOf(null)).toEqual([]);
  });

  it("refuses values out of bounds in words", () => {
    expect(parseParameter(trees, "1.5")).toEqual({ error: "must be a whole number from 1 to 2,000" });
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

  it("follows the order and the groups of the server, not the names", () => {
    const schema = {
      properties: {
        cv: { type: "integer", default: 0, title: "Folds", "x-group": "evaluation", "x-order": 3 },
        engine: { enum: ["native"], default: "native", "x-group": "advanced", "x-order": 4 },
        max_depth: {
          type: ["integer", "null"],
          default: null,
          description: "Maximum depth; null means no limit.",
          "x-group": "model",
          "x-order": 2,
        },
        n_trees: { type: "integer", default: 100, title: "Trees", "x-group": "model", "x-order": 1 },
      },
    };
    const [trees, depth, folds] = parametersOf(schema) as [Parameter, Parameter, Parameter];
    expect([trees.label, depth.label, folds.label]).toEqual(["Trees", "Max depth", "Folds"]);
    expect(depth.description).toBe("Maximum depth; empty means no limit.");
    expect([placeholderOf(trees), placeholderOf(depth)]).toEqual(["100", "default"]);
    const names = groupsOf(parametersOf(schema)).map(([group, members]) => [group, members.map(({ name }) => name)]);
    expect(names).toEqual([
      ["model", ["n_trees", "max_depth"]],
      ["evaluation", ["cv"]],
      ["advanced", ["engine"]],
    ]);
  });

  it("leaves out what has no influence, but nothing that is filled in", () => {
    const all = parametersOf({
      properties: {
        tune_threshold: { enum: ["off", "cost"], default: "off", "x-task": "classification" },
        cost: { type: "number", default: 1, "x-task": "classification", "x-when": { tune_threshold: ["cost"] } },
      },
    });
    const shown = (task: string | null, draft: Record<string, string>) =>
      all.filter((parameter) => isRelevant(parameter, all, task, draft)).map(({ name }) => name);
    expect(shown("classification", {})).toEqual(["tune_threshold"]);
    expect(shown("classification", { tune_threshold: "cost" })).toEqual(["tune_threshold", "cost"]);
    expect(shown("regression", {})).toEqual([]);
    expect(shown(null, {})).toEqual(["tune_threshold"]);
    expect(shown("regression", { cost: "5" })).toEqual(["cost"]);
  });
});
