// node-redis in RESP2 and RESP3: connect (which sends HELLO and CLIENT SETINFO), pipelines by
// sending in one turn, cache commands, binary, large values, reconnect.
import assert from 'node:assert/strict';
import { createClient, RESP_TYPES } from 'redis';
import { finish, largest, pattern, port, restartServer, step, untilHolds } from './steps.mjs';

const RESP = Number(process.argv[4]);
const client = createClient({
  RESP,
  socket: { host: '127.0.0.1', port, reconnectStrategy: () => 50 },
});
client.on('error', () => {});  // the restart makes some
const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });

await step('connect', async () => {
  await client.connect();
  assert.equal(await client.ping(), 'PONG');
  const line = await client.sendCommand(['CLIENT', 'INFO']);
  assert.match(String(line), new RegExp(`resp=${RESP}`));
});
await step('cache commands', async () => {
  assert.equal(await client.set('k', 'v', { expiration: { type: 'EX', value: 100 } }), 'OK');
  assert.equal(await client.get('k'), 'v');
  assert.ok([99, 100].includes(await client.ttl('k')));
  assert.equal(await client.expire('k', 5000, 'GT'), 1);
  assert.deepEqual(await client.mGet(['k', 'none']), ['v', null]);
  assert.equal(await client.set('k', 'w', { condition: 'NX' }), null);
  assert.equal(await client.incrBy('n', 41), 41);
  assert.equal(await client.del(['k', 'n', 'none']), 2);
  assert.equal((await client.configGet('maxmemory-policy'))['maxmemory-policy'], 'noeviction');
});
await step('pipeline', async () => {
  const replies = [];
  for (let i = 0; i < 5000; ++i) {
    replies.push(client.set(`key:${i}`, String(i)));
    replies.push(client.get(`key:${i}`));
  }
  const results = await Promise.all(replies);
  results.forEach((reply, i) => assert.equal(reply, i % 2 ? String(i >> 1) : 'OK'));
});
await step('errors stay at their place', async () => {
  const [, error, text] = await Promise.allSettled(
    [client.set('k', 'text'), client.incr('k'), client.get('k')]);
  assert.equal(error.reason.message, 'ERR value is not an integer or out of range');
  assert.equal(text.value, 'text');
});
await step('multi as a pipeline', async () => {
  const replies = await client.multi().set('k', '1').incr('k').get('k').execAsPipeline();
  assert.deepEqual(replies, ['OK', 2, '2']);
});
await step('binary', async () => {
  const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  await binary.set(every, every);
  assert.ok((await binary.get(every)).equals(every));
});
await step('large values', async () => {
  for (const size of [1, 32768, 1048577, largest]) {
    const data = pattern(size);
    await binary.set('big', data);
    assert.ok((await binary.get('big')).equals(data), `${size} bytes`);
  }
  await client.del('big');
});
await step('scan iterator', async () => {
  const found = new Set();
  for await (const keys of client.scanIterator({ MATCH: 'key:*', COUNT: 500 }))
    for (const key of [keys].flat()) found.add(key);
  assert.equal(found.size, 5000);
});
await restartServer();
await step('reconnect', async () => {
  await untilHolds(async () => (await client.ping()) === 'PONG');
  await client.set('k', 'after');
  assert.equal(await client.get('k'), 'after');
  const line = await client.sendCommand(['CLIENT', 'INFO']);
  assert.match(String(line), new RegExp(`resp=${RESP}`));
});
await step('close', async () => client.close());
finish();
