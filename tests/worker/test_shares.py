"""Which rank learns which image: the steps of several ranks together are those of one process."""

from __future__ import annotations

import pytest

from radtui.records import UserError
from radtui.settings import GenerateSettings, TrainSettings
from radtui.worker.memory.shares import PADDING, PaddedItems, RankBatches, halved, of_one_rank
from radtui.worker.process.ranks import ALONE, Ranks


class Order(list):
    """An epoch's order."""

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch


@pytest.mark.parametrize("images", [1, 7, 16, 17, 18, 23, 24])
@pytest.mark.parametrize(("count", "batch", "passes"), [(2, 4, 1), (2, 2, 2), (3, 1, 2), (4, 2, 1)])
def test_every_step_learns_the_images_that_one_process_would_take(images, count, batch, passes):
    order = Order(reversed(range(images)))
    ranks = [RankBatches(order, images, batch, passes, Ranks(n, count)) for n in range(count)]
    batches = [list(each) for each in ranks]
    assert len({len(each) for each in batches}) == 1  # else one would wait for another for ever
    assert all(len(each) == len(own) for each, own in zip(ranks, batches, strict=True))
    assert all(0 < len(indices) <= batch for own in batches for indices in own)

    size = count * batch * passes
    steps = [order[start : start + size] for start in range(0, images, size)]
    learnt = [
        [
            index
            for own in batches
            for indices in own[first : first + passes]
            for index in indices
            if index != PADDING
        ]
        for first in range(0, len(batches[0]), passes)
    ]
    assert [sorted(each) for each in learnt] == [sorted(each) for each in steps]


def test_the_epoch_reaches_the_order():
    order = Order(range(4))
    RankBatches(order, 4, 1, 1, ALONE).set_epoch(3)
    assert order.epoch == 3


def test_padding_is_marked_and_nothing_else_is():
    items = PaddedItems([{"name": "a"}, {"name": "b"}])
    assert len(items) == 2
    assert items[1] == {"name": "b"}
    assert items[PADDING] == {"name": "a", "padding": True}


@pytest.mark.parametrize(
    ("batch", "accumulation", "count", "share"),
    [(8, 1, 2, (4, 1)), (2, 4, 2, (2, 2)), (2, 4, 8, (1, 1)), (3, 2, 2, (3, 1)), (6, 2, 3, (4, 1)), (4, 3, 2, (3, 2)),
     (8, 1, 1, (8, 1))],
)  # fmt: skip
def test_a_rank_takes_its_share_in_as_few_passes_as_the_micro_batch_allows(batch, accumulation, count, share):
    own = of_one_rank(TrainSettings(batch_size=batch, gradient_accumulation=accumulation), count)
    assert (own.batch_size, own.gradient_accumulation) == share
    assert own.effective_batch * count == batch * accumulation


def test_halving_keeps_the_images_of_a_step():
    smaller = halved(TrainSettings(batch_size=6, gradient_accumulation=2))
    assert smaller is not None and (smaller.batch_size, smaller.gradient_accumulation) == (3, 4)


def test_a_step_that_cannot_be_shared_evenly_is_refused():
    with pytest.raises(UserError, match="gpus must divide the 8 images of a step, and 3 does not"):
        TrainSettings(gpus=3).check()
    with pytest.raises(UserError, match="gpus must be 1 where preferences are learnt"):
        TrainSettings(gpus=2, objective="dpo").check()
    with pytest.raises(UserError, match="gpus must be 1 to 64"):
        GenerateSettings(gpus=0).check()
    assert TrainSettings(gpus=4).check().gpus == 4
