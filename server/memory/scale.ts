/** The deployment's rating scale [min, max], and the 1..5 that models learn on: 1 + 4 (value - min)/(max - min). */
export class Scale {
  readonly min: number;
  readonly max: number;
  /** Units of the deployment in one unit of 1..5. */
  readonly unit: number;

  constructor(min: number, max: number) {
    this.min = min;
    this.max = max;
    this.unit = (max - min) / 4;
  }

  toInternal(value: number): number {
    return 1 + (4 * (value - this.min)) / (this.max - this.min);
  }

  /** Back to the deployment's scale, clipped to it: exactly `min` at 1 and `max` at 5. */
  toExternal(internal: number): number {
    if (internal <= 1) return this.min;
    if (internal >= 5) return this.max;
    return this.min + (internal - 1) * this.unit;
  }
}
