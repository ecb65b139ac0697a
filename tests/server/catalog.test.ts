import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { register, spec } from '../../src/index.js';
import { get, post, testServer } from './support.js';

const shipped = fileURLToPath(
  new URL('../../data/tables/llama3-8b-a100-40gb.json', import.meta.url),
);

it('a task whose table has gone is listed with the others, and is 503 by itself', async () => {
  const app = await testServer();
  const folder = mkdtempSync(join(tmpdir(), 'infragym-table-'));
  const table = join(folder, 'table.json');
  copyFileSync(shipped, table);
  const { config, ...model } = spec('serving/llama3-8b-a100-40gb-azure-conv-v1');
  register({ ...model, id: 'serving/gone-v1', aliases: [], config: { ...config, table } });
  rmSync(folder, { recursive: true });
  const { tasks } = (await get(app, '/tasks')).body;
  expect(tasks.map(({ env_id }: { env_id: string }) => env_id)).toContain('serving/gone-v1');
  const info = (await get(app, '/info')).body;
  const [gone] = info.tasks.filter(
    ({ env_id }: { env_id: string }) => env_id === 'serving/gone-v1',
  );
  expect(gone.unavailable).toContain('table');
  const refused = await post(app, '/reset', { task_id: 'serving/gone-v1' });
  expect(refused.status).toBe(503);
  expect(refused.body.detail).toContain('serving/gone-v1 cannot be compiled here: ');
  expect((await post(app, '/reset', { task_id: 1 })).status).toBe(200);
});
