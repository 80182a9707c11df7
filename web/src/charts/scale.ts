/** The points of a polyline that fills the box. A single value or a flat series runs through the middle. */
export function pointsOf(points: { step: number; value: number }[], width: number, height: number): string {
  const steps = points.map(({ step }) => step);
  const values = points.map(({ value }) => value);
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

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
