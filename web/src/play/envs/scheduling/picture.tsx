/** The jobs in their slots and the racks that may take them: the picture is the control. */
import { useId, useState } from 'react';
import { useShortcut } from '../../../ui/button.js';
import type { PictureProps } from '../../family.js';
import {
  type ClusterConfig,
  configOf,
  decisions,
  type JobState,
  jobsAt,
  serversAt,
} from './config.js';
import classes from './picture.module.css';
import { Server } from './server.js';

export function Picture({ game, row, moves }: PictureProps) {
  const config = configOf(game);
  const jobs = jobsAt(game, row);
  const [wanted, setWanted] = useState(0);
  // The slots move up when a job leaves, so the place that was chosen may be empty.
  const selected = jobs[wanted] ? wanted : jobs.findIndex((job) => job !== null);
  const isLive = moves !== undefined && !moves.isDisabled && row === game.steps;
  const allows = (decision: number) => isLive && game.mask[decision] === 1;
  const take = (decision: number) => moves?.onMove([decision], 1);
  return (
    <div className={classes['picture']}>
      <Slots config={config} jobs={jobs} selected={selected} isLive={isLive} onSelect={setWanted} />
      <div className={classes['racks']}>
        {serversAt(game, row).map((server) => {
          const { index } = server;
          const place = selected < 0 ? -1 : decisions.place(config, selected, index);
          const toggle = config.sleep_aware ? decisions.toggle(config, index) : -1;
          return (
            <Server
              key={index}
              server={server}
              job={selected < 0 ? null : (jobs[selected] ?? null)}
              onPlace={allows(place) ? () => take(place) : null}
              onToggle={allows(toggle) ? () => take(toggle) : null}
            />
          );
        })}
      </div>
      <p className={classes['note']}>
        Servers: the left bar is CPU, the right one memory
        {config.sleep_aware ? '; sleeping ones are dark, waking ones hatched' : ''}.
      </p>
    </div>
  );
}

interface SlotsProps {
  readonly config: ClusterConfig;
  readonly jobs: readonly (JobState | null)[];
  readonly selected: number;
  readonly isLive: boolean;
  readonly onSelect: (slot: number) => void;
}

function Slots({ config, jobs, selected, isLive, onSelect }: SlotsProps) {
  const name = useId();
  return (
    <fieldset className={classes['slots']} disabled={!isLive}>
      <legend>Waiting jobs, the oldest first</legend>
      {jobs.map((job, slot) => (
        <Slot
          key={slotName(slot)}
          group={name}
          slot={slot}
          job={job}
          deadline={config.sla_deadline_steps}
          isSelected={slot === selected}
          onSelect={() => onSelect(slot)}
        />
      ))}
    </fieldset>
  );
}

const slotName = (slot: number): string => `slot ${slot + 1}`;

interface SlotProps {
  readonly group: string;
  readonly slot: number;
  readonly job: JobState | null;
  readonly deadline: number;
  readonly isSelected: boolean;
  readonly onSelect: () => void;
}

function Slot({ group, slot, job, deadline, isSelected, onSelect }: SlotProps) {
  useShortcut(job === null ? undefined : String(slot + 1), onSelect);
  if (job === null) return <span className={classes['empty']}>{slotName(slot)} is empty</span>;
  const isLate = job.waited > deadline;
  return (
    <label className={classes['slot']}>
      <input type="radio" name={group} checked={isSelected} onChange={onSelect} />
      <span className={classes['job']}>
        <kbd>{slot + 1}</kbd>
        <span>
          {job.cpu} CPU · {job.mem} mem
        </span>
        <span>{job.steps} steps</span>
        <span className={isLate ? classes['late'] : classes['wait']}>
          waited {job.waited}
          {isLate ? ', too late' : ` of ${deadline}`}
        </span>
      </span>
    </label>
  );
}
