/** Why `npm test` leaves out what takes long, for `skip`; false where everything runs. */
export const leftOut = process.env.TEST_LENGTH === 'long' ? false : 'npm run test:faults runs it';
