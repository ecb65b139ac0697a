/** Every task on this browser's backends, against the committed digests. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from '../ui/button.js';
import { Problem } from '../ui/problem.js';
import { library } from '../worker/client.js';
import type { TaskVerdict } from '../worker/messages.js';
import classes from './page.module.css';

export function VerifyRoute() {
  const { data: tasks = [] } = useQuery({ queryKey: ['tasks'], queryFn: () => library().tasks() });
  const [verdicts, setVerdicts] = useState<readonly TaskVerdict[]>([]);
  const [isRunning, setRunning] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const run = async () => {
    setRunning(true);
    setVerdicts([]);
    setProblem(null);
    try {
      const goldens = await fetchGoldens();
      for (const { id } of tasks) {
        const verdict = await library().verify(id, goldens);
        setVerdicts((known) => [...known, verdict]);
      }
    } catch (error) {
      setProblem((error as Error).message);
    }
    setRunning(false);
  };
  const good = verdicts.filter(({ isEqual }) => isEqual).length;
  return (
    <div className={classes['page']}>
      <h1>Verify</h1>
      <p>
        The same task, seed and actions give the same bytes everywhere. This page steps every task
        on AssemblyScript, Rust WebAssembly and the TypeScript reference in this browser, hashes all
        that they put out and compares it with the digests that are committed.
      </p>
      <div className={classes['row']}>
        <Button kind="main" isDisabled={isRunning || tasks.length === 0} onPress={() => void run()}>
          Verify {tasks.length} tasks
        </Button>
        <span role="status">
          {verdicts.length === 0 ? '' : `${good} of ${tasks.length} tasks are equal`}
          {isRunning ? ' so far …' : ''}
        </span>
      </div>
      {problem !== null && <Problem title="Not verified" message={problem} />}
      {verdicts.length > 0 && <Verdicts verdicts={verdicts} />}
    </div>
  );
}

async function fetchGoldens(): Promise<object> {
  const response = await fetch(new URL('goldens.json', document.baseURI));
  if (!response.ok) throw new Error(`the digests cannot be fetched (HTTP ${response.status})`);
  return (await response.json()) as object;
}

function Verdicts({ verdicts }: { readonly verdicts: readonly TaskVerdict[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is reached by keyboard
    <section className={classes['scroll']} tabIndex={0} aria-label="Digests by task">
      <table className={classes['table']}>
        <thead>
          <tr>
            <th scope="col">Task</th>
            <th scope="col">Digest</th>
            <th scope="col">Backends</th>
            <th scope="col">Verdict</th>
          </tr>
        </thead>
        <tbody>
          {verdicts.map(({ task, digest, backends, isEqual, difference }) => (
            <tr key={task}>
              <th scope="row">{task}</th>
              <td>
                <code>{digest}</code>
              </td>
              <td>{backends.join(', ')}</td>
              <td className={isEqual ? classes['equal'] : classes['different']}>
                {isEqual ? '✓ equal' : `✗ ${difference}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
