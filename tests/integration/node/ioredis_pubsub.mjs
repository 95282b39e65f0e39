// ioredis: a subscriber whose connection is killed again and again comes back with its channels and
// patterns, and gets each message that is published while it listens, once and in order.
import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { finish, port, step, untilHolds } from './steps.mjs';

const options = { host: '127.0.0.1', port, retryStrategy: () => 20 };
const publisher = new Redis(options);
const subscriber = new Redis(options);
for (const client of [publisher, subscriber]) client.on('error', () => {});

const received = [];
subscriber.on('message', (channel, text) => received.push(['message', channel, text]));
subscriber.on('pmessage', (pattern, channel, text) =>
  received.push(['pmessage', pattern, channel, text]));
subscriber.on('messageBuffer', (channel, bytes) => {
  if (bytes.length === 256) received.push(['bytes', bytes.every((byte, i) => byte === i)]);
});

const counts = async () => [
  ...(await publisher.pubsub('NUMSUB', 'news', 'other')), await publisher.pubsub('NUMPAT')];
const ids = async () => (await publisher.client('LIST', 'TYPE', 'pubsub'))
  .split('\n').filter((line) => line).map((line) => /^id=(\d+) /.exec(line)[1]);

// All that has come after `send`, which ends with a message that marks it.
async function after(send) {
  received.length = 0;
  await send();
  await publisher.publish('news', 'the end');
  await untilHolds(async () => received.some((each) => each.includes('the end')));
  return received.filter((each) => !each.includes('the end'));
}

await step('subscribe', async () => {
  assert.equal(await subscriber.subscribe('news', 'other'), 2);
  assert.equal(await subscriber.psubscribe('user:*'), 3);
  assert.deepEqual(await counts(), ['news', 1, 'other', 1, 1]);
});
const conversation = async () => {
  const messages = await after(async () => {
    for (let i = 0; i < 100; ++i) {
      assert.equal(await publisher.publish(i % 2 ? 'other' : 'news', i), 1);
    }
    assert.equal(await publisher.publish('user:7', 'logged in'), 1);
    assert.equal(await publisher.publish('nobody', 'x'), 0);
  });
  const expected = Array.from({ length: 100 },
    (_, i) => ['message', i % 2 ? 'other' : 'news', String(i)]);
  assert.deepEqual(messages, [...expected, ['pmessage', 'user:*', 'user:7', 'logged in']]);
};
await step('messages', conversation);
await step('binary messages', async () => {
  const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const messages = await after(() => publisher.publish('news', every));
  assert.deepEqual(messages.filter(([kind]) => kind === 'bytes'), [['bytes', true]]);
});
for (let round = 1; round <= 3; ++round) {
  await step(`killed ${round}`, async () => {
    const [id, ...others] = await ids();
    assert.deepEqual(others, []);
    assert.equal(await publisher.client('KILL', 'ID', id), 1);
    await untilHolds(async () => {
      assert.deepEqual(await counts(), ['news', 1, 'other', 1, 1]);
      return (await ids())[0] !== id;
    });
    await conversation();
  });
}
await step('unsubscribe', async () => {
  assert.equal(await subscriber.unsubscribe('other'), 2);
  assert.equal(await publisher.publish('other', 'x'), 0);
  assert.equal(await subscriber.punsubscribe('user:*'), 1);
  assert.equal(await subscriber.unsubscribe('news'), 0);
  // It is a client like others again.
  assert.equal(await subscriber.set('k', 'v'), 'OK');
  assert.deepEqual(await counts(), ['news', 0, 'other', 0, 0]);
});
finish();
