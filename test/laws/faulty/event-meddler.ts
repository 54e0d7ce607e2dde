import { definePlugin } from '../../../plugins/contract/index.ts';
import popularity from '../../../plugins/popularity/plugin.ts';

/** Counts an event for the first item of its user, too. */
export default definePlugin({
  ...popularity,
  name: 'event-meddler',
  retracts: 'approximate',
  learner: (context: Parameters<typeof popularity.learner>[0]) => {
    const inner = popularity.learner(context);
    const { events } = context;
    return {
      ...inner,
      learnEvent(event) {
        inner.learnEvent?.(event);
        if (events.userCount(event.user) > 0)
          inner.learnEvent?.({ ...event, item: events.item(events.ofUser(event.user, 0)) });
      },
    };
  },
});

export const breaks = ['an event changes no row that it does not name'];
