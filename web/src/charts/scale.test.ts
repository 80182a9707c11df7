import { expect, it } from "vitest";
import { pointsOf } from "./scale";

it("fills the box, and puts single and equal values into the middle", () => {
  const rising = [
    { step: 0, value: 1 },
    { step: 5, value: 2 },
    { step: 10, value: 3 },
  ];
  expect(pointsOf(rising, 100, 50)).toBe("0,50 50,25 100,0");
  expect(pointsOf([{ step: 3, value: 1 }], 100, 50)).toBe("50,25");
  expect(
    pointsOf(
      rising.map(({ step }) => ({ step, value: 7 })),
      100,
      50,
    ),
  ).toBe("0,25 50,25 100,25");
});
