// node-redis in RESP2 and RESP3: the same, with shard channels beside channels and patterns.
import assert from 'node:assert/strict';
import { createClient } from 'redis';
import { finish, port, step, untilHolds } from './steps.mjs';

const RESP = Number(process.argv[4]);
const options = { RESP, socket: { host: '127.0.0.1', port, reconnectStrategy: () => 20 } };
const publisher = createClient(options);
const subscriber = createClient(options);
for (const client of [publisher, subscriber]) {
  client.on('error', () => {});
  await client.connect();
}

const received = [];
const listener = (kind) => (text, channel) => received.push([kind, channel, text]);
const counts = async () => [
  { ...(await publisher.pubSubNumSub(['news'])) }, await publisher.pubSubNumPat(),
  { ...(await publisher.pubSubShardNumSub(['shard'])) }];
const subscribed = [{ news: 1 }, 1, { shard: 1 }];
const ids = async () => String(await publisher.sendCommand(['CLIENT', 'LIST', 'TYPE', 'pubsub']))
  .split('\n').filter((line) => line).map((line) => /^id=(\d+) /.exec(line)[1]);

async function conversation() {
  received.length = 0;
  const expected = [];
  for (let i = 0; i < 100; ++i) {
    assert.equal(await publisher.publish('news', `${i}`), 1);
    assert.equal(await publisher.sPublish('shard', `${i}`), 1);
    assert.equal(await publisher.publish('user:7', `${i}`), 1);
    expected.push(['message', 'news', `${i}`], ['smessage', 'shard', `${i}`],
      ['pmessage', 'user:7', `${i}`]);
  }
  await untilHolds(async () => received.length >= expected.length);
  assert.deepEqual(received, expected);
}

await step('subscribe', async () => {
  await subscriber.subscribe('news', listener('message'));
  await subscriber.pSubscribe('user:*', listener('pmessage'));
  await subscriber.sSubscribe('shard', listener('smessage'));
  assert.deepEqual(await counts(), subscribed);
});
await step('messages', conversation);
for (let round = 1; round <= 3; ++round) {
  await step(`killed ${round}`, async () => {
    const [id, ...others] = await ids();
    assert.deepEqual(others, []);
    assert.equal(Number(await publisher.sendCommand(['CLIENT', 'KILL', 'ID', id])), 1);
    await untilHolds(async () => {
      assert.deepEqual(await counts(), subscribed);
      return (await ids())[0] !== id;
    });
    await conversation();
  });
}
if (RESP === 3) {
  await step('commands beside a subscription', async () => {
    await subscriber.set('k', 'v');
    assert.equal(await subscriber.get('k'), 'v');
  });
}
await step('unsubscribe', async () => {
  await subscriber.unsubscribe('news');
  await subscriber.pUnsubscribe('user:*');
  await subscriber.sUnsubscribe('shard');
  assert.deepEqual(await counts(), [{ news: 0 }, 0, { shard: 0 }]);
  assert.equal(String(await subscriber.ping()), 'PONG');
});
finish();
