import { definePlugin, OWN } from '../../../plugins/contract/index.ts';
import honest from './honest.ts';

/** Says nothing of the vectors of items. */
export default definePlugin({
  ...honest,
  name: 'fusion-gap',
  fusion: () => ({ columns: { 'users.vector': OWN } }),
});

export const breaks = ['what it says of fusing covers its columns, and fits them'];
