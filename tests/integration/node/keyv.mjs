// keyv with its Redis adapter: two namespaces of one server.
import assert from 'node:assert/strict';
import KeyvRedis from '@keyv/redis';
import Keyv from 'keyv';
import { createClient } from 'redis';
import { finish, pattern, port, step, untilHolds } from './steps.mjs';

const url = `redis://127.0.0.1:${port}`;
const keyv = (namespace) => new Keyv({ store: new KeyvRedis(url), namespace, useKeyPrefix: false });
const users = keyv('users'), pages = keyv('pages');
for (const each of [users, pages]) each.on('error', (error) => { throw error; });
const client = createClient({ url });
await client.connect();

await step('values of all kinds', async () => {
  for (const value of ['text', 7, 1.5, true, null, [1, 'a'], { a: { b: [null] } }, '']) {
    await users.set('k', value);
    assert.deepEqual(await users.get('k'), value);
  }
  const bytes = pattern(100000);
  await users.set('bytes', bytes);
  assert.ok(bytes.equals(await users.get('bytes')));
  assert.equal(await users.get('none'), undefined);
});
await step('namespaces', async () => {
  await users.set('same', 'u');
  await pages.set('same', 'p');
  assert.equal(await users.get('same'), 'u');
  assert.equal(await pages.get('same'), 'p');
  assert.equal(await pages.has('k'), false);
  assert.equal(await users.has('k'), true);
});
await step('time to live', async () => {
  await users.set('long', 'x', 100000);
  await users.set('short', 'x', 50);
  const ttl = await client.pTTL('users::long');
  assert.ok(ttl > 90000 && ttl <= 100000, `${ttl}`);
  await untilHolds(async () => (await users.get('short')) === undefined);
  assert.equal(await client.exists('users::short'), 0);
});
await step('many', async () => {
  await pages.setMany(Array.from({ length: 1000 }, (_, i) => ({ key: `${i}`, value: i })));
  const got = await pages.getMany(Array.from({ length: 1001 }, (_, i) => `${i}`));
  assert.deepEqual(got, [...Array.from({ length: 1000 }, (_, i) => i), undefined]);
  assert.deepEqual(await pages.deleteMany(['1', '2']), true);
  assert.equal(await pages.has('2'), false);
});
await step('iterator', async () => {
  const found = new Map();
  for await (const [key, value] of pages.iterator()) found.set(key, value);
  assert.equal(found.size, 999);  // 998 and "same"
  assert.equal(found.get('999'), 999);
});
await step('delete and clear', async () => {
  assert.equal(await users.delete('k'), true);
  assert.equal(await users.delete('k'), false);
  await pages.clear();
  assert.equal(await pages.get('999'), undefined);
  assert.equal(await users.get('same'), 'u');
  await users.clear();
  assert.equal(await client.dbSize(), 0);
});
finish();
