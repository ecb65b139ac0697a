/** The committed digests of every task, in a real browser. */
import { expect, it } from 'vitest';
import { listTasks } from '../../src/index.js';
import { webTest } from './support/browser.js';

const web = webTest();

it('gives the committed digest of every task', { timeout: 240_000 }, async () => {
  const page = await web.open('/verify');
  const tasks = listTasks().length;
  await page.getByRole('button', { name: `Verify ${tasks} tasks` }).click();
  await page.getByText(`${tasks} of ${tasks} tasks are equal`).waitFor({ timeout: 200_000 });
  expect(await page.getByText('✓ equal').count()).toBe(tasks);
});
