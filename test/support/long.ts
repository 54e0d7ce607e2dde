/** Why `npm test` leaves out what takes long, for `skip`; false where everything runs. */
const left = (to: string) => (process.env.TEST_LENGTH === 'long' ? false : `npm run ${to} runs it`);

export const leftOut = left('test:integration');
export const leftToModels = left('test:models');
