"""PPO in one file, CleanRL's manner: every number at the top, the loop in sight.

A batch without copies feeds it: `infragym.make_vec(..., copy=False)`. Prints the mean return of the
episodes that end, and the score on held-out seeds.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import infragym
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical


@dataclass
class Config:
    """What is tried: change a number, run again."""

    task: str = "provisioning/medium"
    seed: int = 0
    steps: int = 300_000
    num_envs: int = 64
    num_steps: int = 64
    learning_rate: float = 1e-3
    gamma: float = 0.99
    gae_lambda: float = 0.95
    num_minibatches: int = 8
    epochs: int = 4
    clip: float = 0.2
    entropy: float = 0.005
    value: float = 0.5
    norm_max: float = 0.5


class Agent(nn.Module):
    """Actor and critic over normalised observations."""

    def __init__(self, observation_dim: int, num_actions: int):
        super().__init__()

        def net(outputs: int, gain: float) -> nn.Sequential:
            layers = [nn.Linear(observation_dim, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh()]
            last = nn.Linear(64, outputs)
            for layer in (*layers[::2], last):
                nn.init.orthogonal_(layer.weight, gain if layer is last else 2**0.5)
                nn.init.zeros_(layer.bias)
            return nn.Sequential(*layers, last)

        self.actor, self.critic = net(num_actions, 0.01), net(1, 1.0)
        self.register_buffer("mean", torch.zeros(observation_dim))
        self.register_buffer("square", torch.ones(observation_dim))
        self.register_buffer("count", torch.tensor(1e-4))

    def observe(self, rows: torch.Tensor) -> None:
        """Takes rows into the running mean and mean square."""
        share = len(rows) / (self.count + len(rows))
        self.count += len(rows)
        self.mean += share * (rows.mean(0) - self.mean)
        self.square += share * ((rows**2).mean(0) - self.square)

    def normalise(self, rows: torch.Tensor) -> torch.Tensor:
        deviation = (self.square - self.mean**2).clamp_min(1e-6).sqrt()
        return ((rows - self.mean) / deviation).clamp(-10, 10)

    def forward(self, rows: torch.Tensor) -> tuple[Categorical, torch.Tensor]:
        rows = self.normalise(rows)
        return Categorical(logits=self.actor(rows)), self.critic(rows).squeeze(-1)


def train(config: Config) -> tuple[Agent, list[float]]:
    """Trains; returns the agent and the mean returns of the episodes that ended, by update."""
    torch.manual_seed(config.seed)
    torch.set_num_threads(1)
    envs = infragym.make_vec(config.task, config.num_envs, autoreset_mode="same_step", copy=False)
    agent = Agent(envs.single_observation_space.shape[0], int(envs.single_action_space.n))
    optimiser = torch.optim.Adam(agent.parameters(), lr=config.learning_rate, eps=1e-5)
    shape = (config.num_steps, config.num_envs)
    observations = torch.zeros(*shape, envs.single_observation_space.shape[0])
    actions, log_probs, rewards, values, dones = (torch.zeros(shape) for _ in range(5))
    seen, _ = envs.reset(seed=config.seed * config.num_envs)
    updates = config.steps // (config.num_steps * config.num_envs)
    history, scale = [], 1.0
    for update in range(updates):
        optimiser.param_groups[0]["lr"] = config.learning_rate * (1 - update / updates)
        finished = []
        for t in range(config.num_steps):
            observations[t] = torch.from_numpy(np.array(seen))
            agent.observe(observations[t])
            with torch.no_grad():
                choice, value = agent(observations[t])
                action = choice.sample()
            actions[t], log_probs[t], values[t] = action, choice.log_prob(action), value
            seen, reward, terminated, truncated, infos = envs.step(action.numpy())
            rewards[t] = torch.from_numpy(np.array(reward))
            ended = terminated | truncated
            dones[t] = torch.from_numpy(ended.astype(np.float32))
            if ended.any():
                finished.extend(envs.statistics()["episode_return"][ended])
                # Time is no reason to expect nothing: what would have come is added.
                cut = np.flatnonzero(truncated & ~terminated)
                if cut.size:
                    last = torch.from_numpy(np.stack([infos["final_obs"][i] for i in cut]))
                    with torch.no_grad():
                        rewards[t, cut] += config.gamma * scale * agent(last)[1]
        scale = max(scale, float(rewards.abs().max()))
        learn(
            config,
            agent,
            optimiser,
            observations,
            actions,
            log_probs,
            rewards / scale,
            values,
            dones,
            torch.from_numpy(np.array(seen)),
        )
        if finished:
            history.append(float(np.mean(finished)))
    return agent, history


def learn(config, agent, optimiser, observations, actions, log_probs, rewards, values, dones, last):
    """One update from a rollout [step, environment]."""
    with torch.no_grad():
        following = agent(last)[1]
        advantages = torch.zeros_like(rewards)
        carried = torch.zeros_like(following)
        for t in reversed(range(config.num_steps)):
            goes_on = 1 - dones[t]
            after = following if t == config.num_steps - 1 else values[t + 1]
            delta = rewards[t] + config.gamma * after * goes_on - values[t]
            carried = delta + config.gamma * config.gae_lambda * goes_on * carried
            advantages[t] = carried
    targets = (advantages + values).flatten()
    flat = [x.flatten(0, 1) for x in (observations, actions, log_probs, advantages)]
    size = len(targets) // config.num_minibatches
    for _ in range(config.epochs):
        order = torch.randperm(len(targets))
        for at in range(0, len(targets), size):
            pick = order[at : at + size]
            rows, taken, before, gained = (x[pick] for x in flat)
            choice, value = agent(rows)
            ratio = (choice.log_prob(taken) - before).exp()
            gained = (gained - gained.mean()) / (gained.std() + 1e-8)
            clipped = ratio.clamp(1 - config.clip, 1 + config.clip)
            policy_loss = -torch.min(ratio * gained, clipped * gained).mean()
            value_loss = 0.5 * ((value - targets[pick]) ** 2).mean()
            entropy = choice.entropy().mean()
            loss = policy_loss + config.value * value_loss - config.entropy * entropy
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), config.norm_max)
            optimiser.step()


def score_of(config: Config, agent: Agent, seeds=range(1_000_000, 1_000_064)) -> float:
    """Mean score on held-out seeds, the likeliest action taken."""

    def act(rows: np.ndarray, masks: np.ndarray | None) -> np.ndarray:
        with torch.no_grad():
            return agent(torch.from_numpy(rows))[0].logits.argmax(-1).numpy()

    return float(np.mean([r.score for r in infragym.evaluate(config.task, act, seeds)]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in vars(Config()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    settings = Config(**vars(parser.parse_args()))
    started = time.monotonic()
    trained, returns = train(settings)
    seconds = time.monotonic() - started
    print(f"returns {returns[0]:.1f} -> {returns[-1]:.1f} in {seconds:.0f} s")
    print(f"score {score_of(settings, trained):.3f}")
