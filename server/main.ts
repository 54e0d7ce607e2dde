import { Hangups } from './hangups.ts';

/** `npm start`. Signals are listened to before the rest is loaded, which takes a while. */

const hangups = new Hangups();
const { run } = await import('./command.ts');
await run(process.argv.slice(2), hangups);
