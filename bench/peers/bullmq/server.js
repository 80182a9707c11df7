// The Fastify + BullMQ peer: verifies a bearer token, validates a training request, adds it to the BullMQ queue and
// answers 202. Two processes share the port. With PICKUP=1 each job contains the time before it was added.
import cluster from 'node:cluster';
import { Queue } from 'bullmq';
import { createVerifier } from 'fast-jwt';
import Fastify from 'fastify';

const { PORT, REDIS_URL, JWT_SECRET, PICKUP } = process.env;

const requestBody = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'algorithm', 'features'],
  properties: {
    name: { type: 'string', pattern: '^[a-z0-9][a-z0-9._-]{0,63}$' },
    algorithm: { type: 'string' },
    features: { type: 'array', items: { type: 'string' }, minItems: 1 },
    dataset: { type: 'string', nullable: true, default: 'titanic' },
    target: { type: 'string', nullable: true, default: 'survived' },
    params: { type: 'object', default: {} },
    priority: { type: 'integer', minimum: -10, maximum: 10, default: 0 },
    run_at: { type: 'string', format: 'date-time', nullable: true },
    max_attempts: { type: 'integer', minimum: 1, maximum: 20, default: 3 },
    timeout_s: { type: 'integer', minimum: 1, maximum: 86400, default: 3600 },
    webhook_url: { type: 'string', nullable: true },
    seed: { type: 'integer', minimum: 0, default: 42 },
  },
};

const acceptedBody = {
  type: 'object',
  properties: { job_id: { type: 'string' }, status: { type: 'string' }, status_url: { type: 'string' } },
};

if (cluster.isPrimary) {
  for (let i = 0; i < 2; i++) cluster.fork();
  cluster.on('exit', () => process.exit(1));
} else {
  await serve();
}

async function serve() {
  const queue = new Queue('training', { connection: { url: REDIS_URL } });
  const verify = createVerifier({ key: JWT_SECRET, algorithms: ['HS256'], allowedAud: 'trainyard', allowedIss: 'trainyard' });
  const app = Fastify({ ajv: { customOptions: { removeAdditional: false } } });

  app.addHook('onRequest', async (request, reply) => {
    if (request.url === '/health/ready') return;
    const header = request.headers.authorization ?? '';
    try {
      request.user = verify(header.startsWith('Bearer ') ? header.slice(7) : '');
    } catch {
      return reply.code(401).send({ detail: 'the access token is not valid' });
    }
  });

  app.get('/health/ready', async () => ({ status: 'ok' }));
  app.post('/training', { schema: { body: requestBody, response: { 202: acceptedBody } } }, async (request, reply) => {
    const data = { spec: request.body, user: request.user.sub };
    if (PICKUP) data.before = process.hrtime.bigint().toString();
    const job = await queue.add('train', data);
    return reply.code(202).send({ job_id: job.id, status: 'queued', status_url: `/training/${job.id}` });
  });
  await app.listen({ port: Number(PORT), host: '127.0.0.1' });
}
