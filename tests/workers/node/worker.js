// The worker of BullMQ 5 and 6, of Bull 4 and of node-resque: it writes down what it got, and when.
//   node worker.js bullmq5|bullmq6|bull|resque [pause|resume]
const fs = require('fs');
const [framework, order] = process.argv.slice(2);
const url = new URL(process.env.REDIS_URL);
const connection = { host: url.hostname, port: Number(url.port), maxRetriesPerRequest: null };

// Far longer than any time limit that is tried.
const LONG_MS = 30000;

const write = (line) => fs.appendFileSync(process.env.RECORD, JSON.stringify(line) + '\n');

function begin(data, id) {
  const { kind, n, text, thing, due } = data;
  write({ kind, n, text, thing, due, named: {}, id, at_ms: Date.now() });
  if (kind.startsWith('fail')) throw new Error('asked to fail');
}

async function work(job) {
  if (framework !== 'bull' && job.name !== job.data.kind) throw new Error(`its name is ${job.name}`);
  begin(job.data, job.id);
  if (!job.data.kind.startsWith('slow')) return;
  await new Promise((done) => setTimeout(done, LONG_MS));
  write({ ...job.data, named: {}, kind: job.data.kind + '_done', at_ms: Date.now() });
}

const make = () => {
  if (framework === 'bull') return new (require('bull'))('work', { redis: connection });
  return new (require(framework).Queue)('work', { connection });
};

async function steer() {
  const queue = make();
  if (order === 'pause') await queue.pause();
  if (order === 'resume') await queue.resume();
  await queue.close();
  process.exit(0);
}

function bull() {
  const queue = make();
  // Each name needs a handler of its own.
  queue.process('*', 1, work);
  // A job that takes too long fails, though what it does can't be stopped.
  queue.on('failed', (job, error) => {
    if (/timed out/i.test(error.message)) {
      write({ ...job.data, named: {}, kind: job.data.kind + '_cut', at_ms: Date.now() });
    }
  });
  queue.on('completed', (job) => {
    if (job.data.kind === 'pick') {
      write({ wait_ms: job.processedOn - job.timestamp - (job.opts.delay || 0) });
    }
  });
}

async function bullmq() {
  const { Worker, QueueEvents } = require(framework);
  const events = new QueueEvents('work', { connection });
  const picked = new Map();
  const begun = new Map();
  const tell = (id) => {
    if (!picked.has(id) || !begun.has(id)) return;
    write({ wait_ms: begun.get(id) - picked.get(id) });
    begun.delete(id);
  };
  // When the server wrote that a job was begun, by the queue's own events.
  events.on('active', ({ jobId }, at) => {
    begun.set(jobId, Number(at.split('-')[0]));
    tell(jobId);
  });
  await events.waitUntilReady();
  const noted = async (job) => {
    if (job.data.kind === 'pick') {
      picked.set(job.id, job.timestamp);
      tell(job.id);
    }
    await work(job);
  };
  new Worker('work', noted, { connection, concurrency: 1 });
}

async function resque() {
  const { Worker } = require('node-resque');
  const redis = { pkg: 'ioredis', host: url.hostname, port: Number(url.port) };
  const perform = async (kind, n, text, thing, due) => begin({ kind, n, text, thing, due });
  const jobs = { Recorder: { perform } };
  const worker = new Worker({ connection: redis, queues: ['work'], timeout: 50 }, jobs);
  worker.on('error', (error) => console.error(error));
  await worker.connect();
  worker.start();
}

const frameworks = { bull, bullmq5: bullmq, bullmq6: bullmq, resque };
if (order) steer();
else frameworks[framework]();
