// ioredis and node-redis over TLS, with a certificate of their own.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { finish, largest, pattern, port, step } from './steps.mjs';

const folder = process.argv[4];
const read = (name) => readFileSync(`${folder}/${name}`);
const files = { ca: read('ca.crt'), cert: read('client.crt'), key: read('client.key') };

await step('ioredis', async () => {
  const client = new Redis({ host: '127.0.0.1', port, tls: files });
  assert.equal(await client.ping(), 'PONG');
  const pipeline = client.pipeline();
  for (let i = 0; i < 5000; ++i) pipeline.set(`key:${i}`, i).get(`key:${i}`);
  const results = await pipeline.exec();
  results.forEach(([error, reply], i) => {
    assert.equal(error, null);
    assert.equal(reply, i % 2 ? String(i >> 1) : 'OK');
  });
  for (const size of [1, 16384, 1048577, largest]) {
    const data = pattern(size);
    await client.set('big', data);
    assert.ok((await client.getBuffer('big')).equals(data), `${size} bytes`);
  }
  assert.equal(await client.quit(), 'OK');
});
await step('ioredis without a certificate', async () => {
  const client = new Redis({
    host: '127.0.0.1', port, tls: { ca: files.ca }, lazyConnect: true, retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  client.on('error', () => {});
  await assert.rejects(client.connect().then(() => client.ping()));
  client.disconnect();
});
for (const RESP of [2, 3]) {
  await step(`node-redis with RESP${RESP}`, async () => {
    const options = { RESP, socket: { host: '127.0.0.1', port, tls: true, ...files } };
    const client = await createClient(options).connect();
    const subscriber = await createClient(options).connect();
    assert.equal(await client.ping(), 'PONG');
    const got = [];
    await subscriber.subscribe('news', (message) => got.push(message));
    for (let i = 0; i < 100; ++i) await client.publish('news', `${i}`);
    await client.set('k', 'v');
    assert.equal(await client.get('k'), 'v');
    while (got.length < 100) await new Promise((resume) => setTimeout(resume, 5));
    assert.deepEqual(got, Array.from({ length: 100 }, (_, i) => `${i}`));
    await subscriber.close();
    await client.close();
  });
}
finish();
