/** Sharing: the address as it is, and what came of replaying one. */
import { useState } from 'react';
import { Button } from '../ui/button.js';
import { Problem } from '../ui/problem.js';
import { hashOf } from './address.js';
import type { Game } from './game.js';
import classes from './page.module.css';
import type { Replay } from './use-address.js';

export function ShareButton({ game }: { readonly game: Game }) {
  const [said, setSaid] = useState<string | null>(null);
  const copy = async () => {
    const address = new URL(location.href);
    address.hash = await hashOf(game);
    try {
      await navigator.clipboard.writeText(address.href);
      setSaid('Copied');
    } catch {
      // Without the permission the address bar still has it.
      setSaid('The address bar has it');
    }
    setTimeout(() => setSaid(null), 2000);
  };
  return (
    <Button
      onPress={() => void copy()}
      title="Copies an address that replays this episode and checks its digest"
    >
      {said ?? 'Share'}
    </Button>
  );
}

export function ReplayNote({ replay }: { readonly replay: Replay }) {
  switch (replay.kind) {
    case 'none':
    case 'plain':
      return null;
    case 'running':
      return (
        <p className={classes['replay']} role="status">
          Replaying step {replay.done} of {replay.total} …
        </p>
      );
    case 'equal':
      return (
        <p className={classes['replay']} role="status">
          <strong className={classes['good']}>✓ The digest holds.</strong> {replay.steps} steps
          replayed here lead to <code>{replay.digest}</code>, bit for bit the state that was shared.
        </p>
      );
    case 'different':
      return (
        <Problem
          title="The digest does not hold"
          message={
            `The address promises ${replay.expected}, the replay came to ${replay.got}. ` +
            (replay.isSameProgram
              ? 'The address was changed, or this browser steps otherwise: see the page Verify.'
              : 'The task has another program now than when the address was made.')
          }
        />
      );
    case 'unreadable':
      return (
        <Problem title="The moves in this address cannot be replayed" message={replay.message} />
      );
  }
}
