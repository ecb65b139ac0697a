/** The family views, each loaded when one of its tasks is played. */
import type { FamilyView } from './family.js';

const loaders: Readonly<Record<string, () => Promise<{ readonly view: FamilyView }>>> = {
  autoscaling: () => import('./envs/autoscaling/view.js'),
  provisioning: () => import('./envs/provisioning/view.js'),
  scheduling: () => import('./envs/scheduling/view.js'),
  serving: () => import('./envs/serving/view.js'),
};

/** Families that can be played by hand. */
export const playableFamilies: readonly string[] = Object.keys(loaders);

export async function loadFamilyView(family: string): Promise<FamilyView> {
  const load = loaders[family];
  if (load === undefined) throw new Error(`the playground does not know the family ${family}`);
  return (await load()).view;
}
