import { spawn } from 'node:child_process';

/** @type {NodeJS.Signals[]} */
const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'];

/**
 * Runs a command to its end, its output on standard error. A signal that ends this process kills the command
 * first (npm would go on for many seconds): what it leaves unfinished is made anew the next time.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<void>} Rejects when the command cannot be started or does not exit with 0.
 */
export function run(command, args, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 2, 2] });
    /** @type {NodeJS.Signals | undefined} */
    let received;
    /** @param {NodeJS.Signals} signal */
    const pass = (signal) => {
      received = signal;
      child.kill('SIGKILL');
    };
    for (const signal of SIGNALS) process.on(signal, pass);
    child.once('error', (error) => reject(new Error(`cannot run ${command}: ${error.message}`)));
    child.once('close', (code, signal) => {
      for (const each of SIGNALS) process.off(each, pass);
      if (received) process.kill(process.pid, received);
      else if (code === 0) resolve();
      else
        reject(new Error(`\`${[command, ...args].join(' ')}\` failed (${signal ?? `exit code ${code}`}): see above`));
    });
  });
}

/** @param {string} line */
export function report(line) {
  console.error(`accrete: ${line}`);
}
