/** The playground's knowledge of an environment family, beside its description. */
import type { ComponentType } from 'react';
import type { Curve, Zone } from '../charts/curve.js';
import type { Game } from './game.js';

export interface ChartPlan {
  readonly title: string;
  readonly unit: string;
  readonly curves: (game: Game) => readonly Curve[];
  readonly zones?: (game: Game) => readonly Zone[];
  /** Values that are shown in any case. */
  readonly range?: readonly [number, number];
}

/** A number that is read at a glance. */
export interface Reading {
  readonly name: string;
  readonly value: string;
  readonly unit: string;
  /** The value that is wanted. */
  readonly hint: string;
  readonly state: 'good' | 'neutral' | 'wrong';
}

export interface PictureProps {
  readonly game: Game;
  /** The row that is shown: the last one, or the one that is pointed at in a chart. */
  readonly row: number;
  /** Where things are moved in the picture itself. */
  readonly moves?: ControlProps;
}

/** Moves by hand. */
export interface ControlProps {
  readonly game: Game;
  readonly isDisabled: boolean;
  readonly onMove: (row: readonly number[], steps: number) => void;
}

/** A line of the grading report, by its name in the breakdown. */
export interface GradeLine {
  readonly entry: string;
  readonly name: string;
  readonly meaning: string;
  readonly digits?: number;
  readonly unit?: string;
}

export interface FamilyView {
  /** One sentence for who has never seen it. */
  readonly sentence: string;
  readonly readings: (game: Game, row: number) => readonly Reading[];
  readonly charts: (game: Game) => readonly ChartPlan[];
  readonly Picture: ComponentType<PictureProps>;
  readonly Controls: ComponentType<ControlProps>;
  readonly gradeLines: readonly GradeLine[];
}
