import { withRefit } from './honest.ts';

/** Is done at once. */
export default withRefit('refit-idle', () => [1]);

export const breaks = ['a refit recovers a withheld checkerboard from the ratings alone'];
