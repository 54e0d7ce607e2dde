import { definePlugin } from '../../../plugins/contract/index.ts';
import honest from './honest.ts';

/** Rows of users belong to one user each; the host does not know of tables that are shared. */
export default definePlugin({
  ...honest,
  name: 'shared-rows',
  tables: (config) => {
    const { users, items } = honest.tables(config);
    return { users: { ...users, shared: true }, items };
  },
});

export const breaks = ['its tables are such that the host can keep its promises for them'];
