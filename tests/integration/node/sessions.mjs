// connect-redis with express-session: two servers of one application share their sessions.
import assert from 'node:assert/strict';
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { createClient } from 'redis';
import { finish, port, restartServer, step, untilHolds } from './steps.mjs';

const client = createClient({
  socket: { host: '127.0.0.1', port, reconnectStrategy: () => 20 } });
client.on('error', () => {});
await client.connect();

const store = new RedisStore({ client, prefix: 'session:', ttl: 1000 });
function application() {
  const app = express();
  app.use(session({ store, secret: 'of the test', resave: false, saveUninitialized: false }));
  app.get('/visit', (request, response) => {
    request.session.visits = (request.session.visits ?? 0) + 1;
    response.json(request.session.visits);
  });
  app.get('/look', (request, response) => response.json(request.session.visits ?? null));
  app.get('/login', (request, response) => request.session.regenerate(() => {
    request.session.user = 'ann';
    response.json('hello');
  }));
  app.get('/user', (request, response) => response.json(request.session.user ?? null));
  app.get('/logout', (request, response) => request.session.destroy(() => response.json('bye')));
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
}
const ports = [await application(), await application()];

// A browser: keeps its cookie, and asks one server or the other.
class Browser {
  async get(path, which = 0) {
    const response = await fetch(`http://127.0.0.1:${ports[which]}${path}`,
      { headers: this.cookie ? { cookie: this.cookie } : {} });
    const set = response.headers.get('set-cookie');
    if (set) this.cookie = set.split(';')[0];
    return response.json();
  }
}
const all = (method) => new Promise((resolve, reject) => {
  store[method]((error, result) => error ? reject(error) : resolve(result));
});

const ann = new Browser(), bob = new Browser();
await step('a session is shared', async () => {
  assert.equal(await ann.get('/look'), null);
  assert.equal(await client.dbSize(), 0);
  for (let i = 1; i <= 50; ++i) assert.equal(await ann.get('/visit', i % 2), i);
  assert.equal(await bob.get('/visit', 1), 1);
  assert.equal(await ann.get('/look'), 50);
});
await step('its time to live is renewed', async () => {
  const [key] = await client.keys('session:*');
  await client.expire(key, 5);
  await Promise.all([ann.get('/look'), bob.get('/look')]);
  for (const each of await client.keys('session:*')) assert.ok((await client.ttl(each)) > 900);
});
await step('all of them', async () => {
  assert.equal(await all('length'), 2);
  assert.deepEqual((await all('all')).map((each) => each.visits).sort(), [1, 50]);
  assert.equal((await all('ids')).length, 2);
});
await step('login gives a new one', async () => {
  const before = ann.cookie;
  assert.equal(await ann.get('/login'), 'hello');
  assert.notEqual(ann.cookie, before);
  assert.equal(await ann.get('/user', 1), 'ann');
  assert.equal(await ann.get('/look', 1), null);
  assert.equal(await all('length'), 2);
});
await step('logout ends it', async () => {
  assert.equal(await ann.get('/logout', 1), 'bye');
  assert.equal(await ann.get('/user', 0), null);
  assert.equal(await all('length'), 1);
});
await step('one that expired', async () => {
  const [key] = await client.keys('session:*');
  await client.pExpire(key, 20);
  await untilHolds(async () => (await client.exists(key)) === 0);
  assert.equal(await bob.get('/look'), null);
});
await restartServer();
await step('reconnect', async () => {
  await untilHolds(async () => (await client.ping()) === 'PONG');
  assert.equal(await bob.get('/visit'), 1);
  assert.equal(await bob.get('/visit', 1), 2);
});
await step('clear', async () => {
  await all('clear');
  assert.equal(await client.dbSize(), 0);
});
finish();
