"""TorchRL: a collector over `GymEnv`, and PPO's loss on what it brings.

`torchrl_ppo.py --frames 20000` prints the mean return of the first and of the last batch.
"""

from __future__ import annotations

import argparse

import infragym.registration
import torch
from tensordict.nn import TensorDictModule
from torch import nn
from torchrl.collectors import Collector
from torchrl.envs import GymEnv, TransformedEnv
from torchrl.envs.transforms import RewardSum, StepCounter
from torchrl.modules import OneHotCategorical, ProbabilisticActor, ValueOperator
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

TASK = "autoscaling/easy"


def make_env() -> TransformedEnv:
    """One environment under TorchRL's API."""
    env = GymEnv(infragym.registration.gymnasium_id(TASK), categorical_action_encoding=False)
    return TransformedEnv(env, RewardSum()).append_transform(StepCounter())


def net(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(inputs), nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, outputs)
    )


def train(frames: int, seed: int = 0, frames_per_batch: int = 1000) -> list[float]:
    """Mean returns of the episodes that ended, by batch."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    env = make_env()
    env.set_seed(seed)
    width = env.observation_spec["observation"].shape[-1]
    logits = TensorDictModule(
        net(width, env.action_spec.shape[-1]), in_keys=["observation"], out_keys=["logits"]
    )
    actor = ProbabilisticActor(
        logits,
        spec=env.action_spec,
        in_keys=["logits"],
        distribution_class=OneHotCategorical,
        return_log_prob=True,
    )
    critic = ValueOperator(net(width, 1), in_keys=["observation"])
    loss = ClipPPOLoss(actor, critic, entropy_coeff=0.01)
    advantage = GAE(gamma=0.99, lmbda=0.95, value_network=critic)
    optimiser = torch.optim.Adam(loss.parameters(), lr=1e-3)
    collector = Collector(
        make_env,
        actor,
        frames_per_batch=frames_per_batch,
        total_frames=frames,
        auto_register_policy_transforms=True,
    )
    returns = []
    for batch in collector:
        with torch.no_grad():
            advantage(batch)
        for _ in range(4):
            for part in batch.reshape(-1)[torch.randperm(batch.numel())].split(250):
                losses = loss(part)
                total = sum(v for k, v in losses.items() if k.startswith("loss_"))
                optimiser.zero_grad()
                total.backward()
                nn.utils.clip_grad_norm_(loss.parameters(), 0.5)
                optimiser.step()
        ended = batch["next", "done"]
        returns.append(batch["next", "episode_reward"][ended].mean().item())
    collector.shutdown()
    return returns


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=20_000)
    arguments = parser.parse_args()
    means = train(arguments.frames)
    print(f"mean return {means[0]:.1f} -> {means[-1]:.1f}")
