// BullMQ's own client, asked for many jobs at once: `bulk.js JOBS`. It prints seconds and processor seconds of
// the sending alone.
const { Queue } = require('bullmq6');
const jobs = Number(process.argv[2]);
const CHUNK = 1000;
const users = ['ann', 'bo', 'cy'];
const url = new URL(process.env.REDIS_URL);
const connection = { host: url.hostname, port: Number(url.port) };

async function send() {
  const queue = new Queue('bulk', { connection });
  await queue.addBulk([{ name: 'order', data: {} }]);
  const [wall, used] = [process.hrtime.bigint(), process.cpuUsage()];
  for (let first = 0; first < jobs; first += CHUNK) {
    const chunk = [];
    for (let number = first; number < Math.min(first + CHUNK, jobs); number += 1) {
      chunk.push({ name: 'order', data: { number, user: users[number % 3] } });
    }
    await queue.addBulk(chunk);
  }
  const { user, system } = process.cpuUsage(used);
  console.log(Number(process.hrtime.bigint() - wall) / 1e9, (user + system) / 1e6);
  await queue.close();
}

send();
