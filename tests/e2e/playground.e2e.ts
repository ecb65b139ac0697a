/** The playground in a real browser. */
import { describe, expect, it } from 'vitest';
import { webTest } from './support/browser.js';

const web = webTest();

describe('autoscaling by hand', () => {
  it('takes steps by its three buttons, several at once, and grades the episode', async () => {
    const page = await web.open('/play/autoscaling/easy-v1?seed=42');
    const status = page.getByText(/^Step \d+ of/);
    await expect.poll(() => status.textContent()).toMatch('Step 0 of 100');
    for (const name of ['CPU utilisation', 'Memory utilisation', 'Request rate', 'Latency']) {
      await page.getByText(name, { exact: true }).first().waitFor();
    }
    await page.getByRole('button', { name: 'Increase' }).click();
    await expect.poll(() => status.textContent()).toMatch('Step 1 of 100');
    const steps = page.getByLabel('Number of steps');
    expect([await steps.getAttribute('min'), await steps.getAttribute('max')]).toEqual(['1', '20']);
    await steps.fill('20');
    await page.getByLabel('Action to repeat').selectOption('Maintain');
    await page.getByRole('button', { name: 'Run 20 steps' }).click();
    await expect.poll(() => status.textContent()).toMatch('Step 21 of 100');
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => status.textContent()).toMatch('Step 20 of 100');
    for (let round = 0; round < 4; round++) {
      await page.getByRole('button', { name: 'Run 20 steps' }).click();
      await expect.poll(() => status.textContent()).toMatch(`Step ${20 * (round + 2)} of 100`);
    }
    const report = page.getByRole('region', { name: 'Grading report' });
    await report.waitFor();
    const text = await report.textContent();
    for (const line of ['Final score', 'Stability', 'Efficiency', 'Performance', 'passed']) {
      expect(text).toMatch(line);
    }
    await page.getByRole('button', { name: 'Reset environment' }).click();
    await expect.poll(() => status.textContent()).toMatch('Step 0 of 100');
  });
});
