// The worker of BullMQ 5 and 6 and of Bull 4: it writes down what it got, and when.
//   node worker.js bullmq5|bullmq6|bull [pause|resume|counts]
const fs = require('fs');
const [framework, order] = process.argv.slice(2);
const url = new URL(process.env.REDIS_URL);
const connection = { host: url.hostname, port: Number(url.port), maxRetriesPerRequest: null };

function record(job) {
  const { kind, n, text, thing, due } = job.data;
  const line = { kind, n, text, thing, due, named: {}, at_ms: Date.now() };
  line.enqueued_ms = job.timestamp;
  line.begun_ms = job.processedOn;
  fs.appendFileSync(process.env.RECORD, JSON.stringify(line) + '\n');
  if (kind === 'fail') throw new Error('asked to fail');
}

const make = () => {
  if (framework === 'bull') return new (require('bull'))('work', { redis: connection });
  return new (require(framework).Queue)('work', { connection });
};

async function steer() {
  const queue = make();
  if (order === 'pause') await queue.pause();
  if (order === 'resume') await queue.resume();
  if (order === 'counts') console.log(JSON.stringify(await queue.getJobCounts()));
  await queue.close();
  process.exit(0);
}

if (order) steer();
else if (framework === 'bull') {
  const work = async (job) => record(job);
  const queue = make();
  // Each name needs a handler of its own.
  queue.process('*', 1, work);
} else {
  const { Worker } = require(framework);
  new Worker('work', async (job) => record(job), { connection, concurrency: 1 });
}
