/** Every family in the page gives the digests that Node gives, and an address gives them again. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { playBatch } from '../../src/evaluation/evaluate.js';
import { compileTask, createPolicy, loadBackend, TaskVectorEnv } from '../../src/index.js';
import { webTest } from './support/browser.js';

const web = webTest();
const SEED = 7;

const EPISODES = [
  ['autoscaling/easy-v1', 'hpa'],
  ['autoscaling/trace-v1', 'threshold'],
  ['provisioning/easy-v1', 'moving-average'],
  ['scheduling/sleep-aware', 'power-aware'],
  ['serving/bursty-sharegpt-v1', 'random'],
  ['serving/llama3-8b-a100-40gb-azure-conv-v1', 'hysteresis'],
] as const;

/** The digest after a policy's episode, played by the reference in Node. */
async function digestInNode(id: string, policy: string): Promise<string> {
  const task = compileTask(id);
  const backend = await loadBackend('reference');
  const env = new TaskVectorEnv(task, backend, { numEnvs: 1, infos: true, autoreset: 'disabled' });
  playBatch(env, await createPolicy(policy, task), [BigInt(SEED)]);
  return env.digest();
}

async function digestInPage(page: Page): Promise<string> {
  const report = page.getByRole('region', { name: 'Grading report' });
  await report.waitFor({ timeout: 30_000 });
  return (await report.locator('code').textContent()) ?? '';
}

describe.each(EPISODES)('%s under %s', (id, policy) => {
  it('ends in the state that the reference ends in, there and by its address', async () => {
    const expected = await digestInNode(id, policy);
    const page = await web.open(`/play/${id}?seed=${SEED}`);
    await page.getByLabel('Policy').selectOption(policy);
    await page.getByLabel('Pace').selectOption('max');
    await page.getByRole('button', { name: 'Play' }).click();
    expect(await digestInPage(page)).toBe(expected);
    await page.waitForURL(/digest=/);
    const again = await web.open(page.url());
    await again.getByText('The digest holds.').waitFor({ timeout: 30_000 });
    expect(await digestInPage(again)).toBe(expected);
    await Promise.all([page.context().close(), again.context().close()]);
  });
});

describe('a shared address', () => {
  const address = '/play/autoscaling/easy-v1?seed=7#moves=2*3~0&digest=';

  it('says so where its digest is another', async () => {
    const page = await web.open(`${address}0123456789abcdef`);
    await page.getByText('The digest does not hold').waitFor();
    await page.context().close();
  });

  it('says so where its moves cannot be read', async () => {
    const page = await web.open('/play/autoscaling/easy-v1?seed=7#moves=2*3~%3Cb%3E');
    await page.getByText('cannot be replayed').waitFor();
    await page.context().close();
  });
});
