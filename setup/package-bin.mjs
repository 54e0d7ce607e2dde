#!/usr/bin/env node
// The command `accrete` of an installed package.

const [major = '0'] = process.versions.node.split('.');
if (Number(major) < 24) {
  console.error(`accrete: Node 24 or newer is needed, and this is ${process.versions.node}`);
  process.exit(1);
}
await import('../clients/cli/main.js');
