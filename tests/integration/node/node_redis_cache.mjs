// node-redis's client-side cache (RESP3): what it holds is never older than what was written.
import assert from 'node:assert/strict';
import { BasicClientSideCache, createClient } from 'redis';
import { finish, port, step, untilHolds } from './steps.mjs';

const socket = { host: '127.0.0.1', port, reconnectStrategy: () => 20 };
const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 10000, evictPolicy: 'LRU' });
const reader = createClient({ RESP: 3, socket, clientSideCache: cache });
const writer = createClient({ RESP: 3, socket });
for (const client of [reader, writer]) {
  client.on('error', () => {});
  await client.connect();
}

const hits = () => cache.stats().hitCount;
// Whether a read was answered by the cache.
async function cached(read, expected) {
  const before = hits();
  assert.deepEqual(await read(), expected);
  return hits() > before;
}
// What was invalidated before has been heard of.
const heard = () => reader.ping();

await step('a second read is local', async () => {
  assert.match(String(await reader.sendCommand(['CLIENT', 'INFO'])), / flags=t /);
  await writer.set('k', '1');
  assert.equal(await cached(() => reader.get('k'), '1'), false);
  assert.equal(await cached(() => reader.get('k'), '1'), true);
  assert.equal(await cached(() => reader.get('none'), null), false);
});
await step('a write of another client ends it', async () => {
  for (let i = 2; i < 200; ++i) {
    await writer.set('k', `${i}`);
    await heard();
    assert.equal(await cached(() => reader.get('k'), `${i}`), false);
    assert.equal(await cached(() => reader.get('k'), `${i}`), true);
  }
});
await step('so does its own', async () => {
  await reader.set('k', 'own');
  assert.equal(await cached(() => reader.get('k'), 'own'), false);
  assert.equal(await cached(() => reader.get('k'), 'own'), true);
});
await step('of all types', async () => {
  await writer.hSet('h', 'f', '1');
  await writer.rPush('l', ['a', 'b']);
  await writer.zAdd('z', { score: 1, value: 'm' });
  const reads = [
    [() => reader.hGet('h', 'f'), '1', () => writer.hSet('h', 'f', '2'), '2'],
    [() => reader.lRange('l', 0, -1), ['a', 'b'], () => writer.lPop('l'), ['b']],
    [() => reader.zScore('z', 'm'), 1, () => writer.zIncrBy('z', 2, 'm'), 3],
    [() => reader.mGet(['k', 'n']), ['own', null], () => writer.incr('n'), ['own', '1']],
  ];
  for (const [read, before, write, after] of reads) {
    assert.equal(await cached(read, before), false);
    assert.equal(await cached(read, before), true);
    await write();
    await heard();
    assert.equal(await cached(read, after), false);
  }
});
await step('expiry', async () => {
  await writer.set('short', 'x', { expiration: { type: 'PX', value: 50 } });
  assert.equal(await reader.get('short'), 'x');
  await untilHolds(async () => (await reader.get('short')) === null);
});
await step('flush', async () => {
  assert.equal(await cached(() => reader.get('k'), 'own'), true);
  await writer.flushAll();
  await heard();
  assert.equal(await cached(() => reader.get('k'), null), false);
});
await step('eviction', async () => {
  await writer.set('k', 'v');
  await heard();
  assert.equal(await reader.get('k'), 'v');
  await writer.configSet('maxmemory-policy', 'allkeys-random');
  await writer.configSet('maxmemory', '1');
  await heard();
  assert.equal(await cached(() => reader.get('k'), null), false);
  await writer.configSet('maxmemory', '0');
});
await step('a connection that was lost', async () => {
  await writer.set('k', 'before');
  await heard();
  assert.equal(await reader.get('k'), 'before');
  const id = Number(await reader.sendCommand(['CLIENT', 'ID']));
  await writer.sendCommand(['CLIENT', 'KILL', 'ID', `${id}`]);
  await writer.set('k', 'meanwhile');
  await untilHolds(async () => (await reader.ping()) === 'PONG');
  assert.equal(await reader.get('k'), 'meanwhile');
  await writer.set('k', 'after');
  await heard();
  assert.equal(await reader.get('k'), 'after');
});
finish();
