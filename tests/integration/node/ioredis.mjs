// ioredis: connect, pipeline, cache commands, binary, large values, reconnect.
import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { finish, largest, pattern, port, restartServer, step, untilHolds } from './steps.mjs';

const client = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 50 });
client.on('error', () => {});  // the restart makes some; what matters is that it comes back

await step('connect', async () => {
  assert.equal(await client.ping(), 'PONG');
  assert.equal(client.status, 'ready');
});
await step('cache commands', async () => {
  assert.equal(await client.set('k', 'v', 'EX', 100), 'OK');
  assert.equal(await client.get('k'), 'v');
  assert.ok([99, 100].includes(await client.ttl('k')));
  assert.equal(await client.expire('k', 5000, 'GT'), 1);
  assert.deepEqual(await client.mget('k', 'none'), ['v', null]);
  assert.equal(await client.set('k', 'w', 'NX'), null);
  assert.equal(await client.incrby('n', 41), 41);
  assert.equal(await client.del('k', 'n', 'none'), 2);
});
await step('pipeline', async () => {
  const pipeline = client.pipeline();
  for (let i = 0; i < 5000; ++i) pipeline.set(`key:${i}`, i).get(`key:${i}`);
  const results = await pipeline.exec();
  assert.equal(results.length, 10000);
  results.forEach(([error, reply], i) => {
    assert.equal(error, null);
    assert.equal(reply, i % 2 ? String(i >> 1) : 'OK');
  });
});
await step('errors stay at their place', async () => {
  const results = await client.pipeline().set('k', 'text').incr('k').get('k').exec();
  assert.equal(results[1][0].message, 'ERR value is not an integer or out of range');
  assert.equal(results[2][1], 'text');
});
await step('binary', async () => {
  const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  await client.set(every, every);
  assert.ok((await client.getBuffer(every)).equals(every));
});
await step('large values', async () => {
  for (const size of [1, 32768, 1048577, largest]) {
    const data = pattern(size);
    await client.set('big', data);
    assert.ok((await client.getBuffer('big')).equals(data), `${size} bytes`);
  }
  await client.del('big');
});
await step('scan stream', async () => {
  const found = new Set();
  for await (const keys of client.scanStream({ match: 'key:*', count: 500 }))
    keys.forEach((key) => found.add(key));
  assert.equal(found.size, 5000);
});
await restartServer();
await step('reconnect', async () => {
  await untilHolds(async () => (await client.ping()) === 'PONG');
  await client.set('k', 'after');
  assert.equal(await client.get('k'), 'after');
});
await step('quit', async () => assert.equal(await client.quit(), 'OK'));
finish();
