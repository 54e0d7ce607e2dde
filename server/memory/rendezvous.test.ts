import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Arena } from './arena.ts';
import { Rendezvous } from './rendezvous.ts';

const MIB = 2 ** 20;

function meeting() {
  const arena = Arena.create(16 * MIB);
  const leader = new Rendezvous(arena);
  return { arena, leader, follower: new Rendezvous(arena, leader.address) };
}

test('they meet when the follower stands where the leader named', async () => {
  const { leader, follower } = meeting();
  assert.deepEqual([follower.target, leader.reached], [0, 0]);
  const met = leader.meet(7, 10_000);
  assert.equal(follower.target, 7);
  for (let revision = 5; revision <= 7; revision++) {
    await sleep(1);
    follower.reach(revision);
  }
  assert.equal(await met, true);
});

test('one that stands there already is met at once', async () => {
  const { leader, follower } = meeting();
  follower.reach(7);
  assert.equal(await leader.meet(7, 0), true);
});

test('the leader waits no longer than it said, and not for one that gave up', async () => {
  const { leader, follower } = meeting();
  follower.reach(6);
  const startMs = performance.now();
  assert.equal(await leader.meet(7, 30), false);
  assert(performance.now() - startMs >= 29);
  const met = leader.meet(8, 10_000);
  follower.giveUp();
  assert.equal(await met, false);
  assert(performance.now() - startMs < 5000);
});

test('revisions beyond 32 bits', async () => {
  const { leader, follower } = meeting();
  const met = leader.meet(2 ** 40 + 1, 10_000);
  assert.equal(follower.target, 2 ** 40 + 1);
  follower.reach(2 ** 40 + 1);
  assert.equal(await met, true);
  assert.equal(leader.reached, 2 ** 40 + 1);
});

test('its memory is given back', () => {
  const { arena, leader } = meeting();
  leader.free();
  assert.equal(new Rendezvous(arena).address, leader.address);
});

test('one that enters when the two will not meet is told, and one that has entered is seen', () => {
  const [early, late] = [meeting(), meeting()];
  assert.equal(early.leader.hasEntered, false);
  assert.equal(early.follower.enter(), true);
  assert.equal(early.leader.hasEntered, true);
  late.leader.giveUp();
  assert.equal(late.follower.enter(), false);
});
