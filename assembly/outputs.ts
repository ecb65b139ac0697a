/** What an environment's step or reset produced besides its rows; the batch publishes it. */
export class Out {
  static reward: f32 = 0;
  static cost: f32 = 0;
  static terminated: bool = false;
  static truncated: bool = false;
}
