// What the two programs share: steps that print their name when they held, a value that is known
// at both ends, and the wait for the server's restart, which the Python side does when asked.
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';

export const port = Number(process.argv[2]);
export const largest = Number(process.argv[3]);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

export async function step(name, action) {
  try {
    await action();
  } catch (error) {
    console.log(`failed: ${name}: ${error.stack}`);
    process.exit(1);
  }
  console.log(name);
}

export async function restartServer() {
  console.log('restart me');
  await lines.next();
}

export function pattern(size) {
  const data = Buffer.alloc(size);
  for (let i = 0; i < size; ++i) data[i] = (i * 31 + (i >> 8)) & 255;
  return data;
}

export async function untilHolds(condition) {
  const deadline = Date.now() + 30000;
  while (!(await condition().catch(() => false))) {
    assert.ok(Date.now() < deadline, 'the condition does not come true');
    await new Promise((resume) => setTimeout(resume, 20));
  }
}

export function finish() {
  console.log('all held');
  process.exit(0);
}
