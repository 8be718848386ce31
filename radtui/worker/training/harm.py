"""Learning from pairs ends itself where it makes the texts that raters preferred less likely."""

from __future__ import annotations

from radtui.worker.process.reporter import Reporter

# A held-back preferred text that has become e times less likely is worse than noise makes it.
LIMIT_NATS = 1.0
PATIENCE = 2  # evaluations in a row
# TRL's: beta times the log of how much likelier the preferred texts have become.
REWARD = "eval_rewards/chosen"


class Harm:
    """Watches held-back pairs: their loss, and how often the preferred text wins, improve while both texts get worse.

    Args:
        beta: DPO's, by which rewards are scaled.
        reporter: The job's voice.
    """

    def __init__(self, beta: float, reporter: Reporter) -> None:
        self.beta, self.reporter = beta, reporter
        self.evaluations = 0  # in a row that showed harm

    def seen(self, step: int, reward: float) -> bool:
        """Take note of an evaluation.

        Args:
            step: Optimizer steps done.
            reward: Mean `REWARD` of the held-back pairs.

        Returns:
            Whether the run is to end.
        """
        lost_nats = -reward / self.beta
        self.evaluations = self.evaluations + 1 if lost_nats > LIMIT_NATS else 0
        if self.evaluations < PATIENCE:
            return False
        self.reporter.event(
            step, "warning",
            f"Stopped: the held-back texts that raters preferred have become less likely, by {lost_nats:.1f} nats a"
            " text. Use the adapter that this job began with, or learn again with a lower learning_rate",
        )  # fmt: skip
        return True
