/** What was removed from one place: see `Removal` of the wire. */
export interface Removal {
  readonly place: string;
  readonly count: number;
}
