/** The playground at its addresses. */
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import type { EpisodeSetup } from '../worker/messages.js';
import { Playground } from './page.js';

const FIRST: EpisodeSetup = { task: 'autoscaling/easy-v1', seed: '42', config: {} };
const api = getRouteApi('/play/$family/$task');

function useSetup(): (setup: EpisodeSetup) => void {
  const navigate = useNavigate();
  return ({ task: id, seed, config }) => {
    const [family, task] = id.split('/');
    const search = { seed, ...(Object.keys(config).length > 0 && { config }) };
    void navigate({ to: '/play/$family/$task', params: { family, task }, search });
  };
}

/** The first screen is a running environment. */
export function HomeRoute() {
  return <Playground setup={FIRST} onSetup={useSetup()} />;
}

export function PlayRoute() {
  const { family, task } = api.useParams();
  const { seed = '42', config = {} } = api.useSearch();
  return <Playground setup={{ task: `${family}/${task}`, seed, config }} onSetup={useSetup()} />;
}
