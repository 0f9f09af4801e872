export interface Line {
  readonly slope: number;
  readonly intercept: number;
  /** The share of the variance that the line explains; 1 is a line. */
  readonly r2: number;
}

/** The line of least squares. */
export function fitLine(points: readonly { readonly x: number; readonly y: number }[]): Line {
  const mean = (pick: (point: { x: number; y: number }) => number): number =>
    points.reduce((sum, point) => sum + pick(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  const sxx = mean((point) => (point.x - x) ** 2);
  const sxy = mean((point) => (point.x - x) * (point.y - y));
  const syy = mean((point) => (point.y - y) ** 2);
  const slope = sxy / sxx;
  return { slope, intercept: y - slope * x, r2: sxy ** 2 / (sxx * syy) };
}
