import { expect, it } from "vitest";
import { pointsOf, smallestSoFar } from "./scale";

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

it("draws the smallest value so far in the range of another series", () => {
  const points = [4, 6, 2, 3].map((value, step) => ({ step, value }));
  const best = smallestSoFar(points);
  expect(best.map(({ value }) => value)).toEqual([4, 4, 2, 2]);
  expect(pointsOf(best, 30, 40, [6, 2])).toBe("0,20 10,20 20,40 30,40");
});
