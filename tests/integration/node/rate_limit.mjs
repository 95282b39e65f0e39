// A rate limit as applications write it: MULTI, INCR, EXPIRE NX, TTL. Of many requests at once from
// several connections as many get through as the limit says, and again in the next window.
import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { finish, port, step, untilHolds } from './steps.mjs';

const clients = Array.from({ length: 5 }, () => new Redis({ host: '127.0.0.1', port }));
const LIMIT = 20;

async function allowed(client, user, windowMs) {
  const key = `limit:${user}`;
  const [[, count], [, begun], [, left]] = await client.multi()
    .incr(key).pexpire(key, windowMs, 'NX').pttl(key).exec();
  // Whoever begins a window gives it its end, and nobody else.
  assert.equal(begun, count === 1 ? 1 : 0);
  assert.ok(left > 0 && left <= windowMs, `${left}`);
  return count <= LIMIT;
}
async function burst(user, windowMs) {
  const answers = await Promise.all(Array.from({ length: 200 },
    (_, i) => allowed(clients[i % clients.length], user, windowMs)));
  return answers.filter((answer) => answer).length;
}

await step('a window', async () => {
  assert.equal(await burst('ann', 60000), LIMIT);
  assert.equal(await allowed(clients[0], 'ann', 60000), false);
  assert.equal(await allowed(clients[0], 'bob', 60000), true);
});
await step('the next one', async () => {
  assert.equal(await burst('eve', 400), LIMIT);
  await untilHolds(async () => (await clients[0].exists('limit:eve')) === 0);
  assert.equal(await burst('eve', 60000), LIMIT);
});
await step('a transaction that fails', async () => {
  await clients[0].set('limit:text', 'x');
  const [[error], [, set]] = await clients[0].multi().incr('limit:text').set('after', '1').exec();
  assert.equal(error.message, 'ERR value is not an integer or out of range');
  assert.equal(set, 'OK');
  await assert.rejects(clients[0].multi().set('never', '1').call('NOSUCH').exec(), /EXECABORT/);
  assert.equal(await clients[0].exists('never'), 0);
});
finish();
