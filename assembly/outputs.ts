/** The results of an environment's step or reset besides its rows; the batch publishes them. */
export class Out {
  static reward: f32 = 0;
  static cost: f32 = 0;
  static terminated: bool = false;
  static truncated: bool = false;
}
