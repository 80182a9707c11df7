interface Step {
  step: number;
  value: number;
}

/**
 * The points of a polyline. The range of `values` fills the height of the box; by default these are the values of the points. A
 * single value or a flat series runs through the middle.
 */
export function pointsOf(
  points: Step[],
  width: number,
  height: number,
  values = points.map(({ value }) => value),
): string {
  const steps = points.map(({ step }) => step);
  const scale = (value: number, all: number[]) => {
    const [low, high] = [Math.min(...all), Math.max(...all)];
    return high > low ? (value - low) / (high - low) : 0.5;
  };
  return points
    .map(({ step, value }) => {
      const x = points.length === 1 ? width / 2 : scale(step, steps) * width;
      return `${round(x)},${round((1 - scale(value, values)) * height)}`;
    })
    .join(" ");
}

/** The smallest value up to each step. */
export function smallestSoFar(points: Step[]): Step[] {
  let smallest = Number.POSITIVE_INFINITY;
  return points.map(({ step, value }) => {
    smallest = Math.min(smallest, value);
    return { step, value: smallest };
  });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
