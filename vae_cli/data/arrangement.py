"""Where images go of which a run knows some already."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from vae_cli.data.dataset import Dataset, Images
from vae_cli.data.parts import PARTS
from vae_cli.data.record import DataChanges, Digests, Record, hash_names, name_place


def arrange(dataset: Dataset, record: Record) -> tuple[Dataset, DataChanges]:
    """Puts each image that a run knows into the part where the run has it.

    Parts that come as they are stay. Within those that this package splits, images move. A new
    one goes to the training part if an equal image was ever trained on, else to the part of an
    equal image, else where the run had an image of its name that is gone, else where the seed
    puts it. In a set of another size and none of the run's images, names say nothing.

    Returns:
        The set, and how it differs from the run's. No difference means the same images in the
        same order.
    """
    parts, difference = dict(dataset.parts), DataChanges()
    groups = [[part] for part in PARTS if part not in dataset.pooled]
    groups += [list(dataset.pooled)] if dataset.pooled else []
    for group in groups:
        images = [parts[part] for part in group]
        arranged, found = _arrange_group(images, group, record, name_place(dataset, group[0]))
        parts |= dict(zip(group, arranged, strict=True))
        difference = difference.plus(found)
    return dataset.with_parts(parts), difference


def _arrange_group(
    images: Sequence[Images], group: Sequence[str], record: Record, place: str
) -> tuple[list[Images], DataChanges]:
    """The images of some parts, which may move between these."""
    first, *others = images
    pool = first.joined(others) if others else first
    digests, labels = pool.digests(), pool.labels.cpu().numpy()
    known, known_labels, known_names = (
        np.concatenate([column[part] for part in group])
        for column in (record.digests, record.labels, record.names)
    )
    parts = np.repeat(np.arange(len(group)), [len(record.digests[part]) for part in group])
    order = np.arange(len(pool)) if np.array_equal(digests, known) else _find(known, digests)
    is_there = order >= 0
    new = np.setdiff1d(np.arange(len(pool)), order[is_there])

    is_other_set = not is_there.any() and len(pool) != len(known)  # then names mean nothing
    lost = ~is_there & (not is_other_set)
    gone = dict(zip(known_names[lost].tolist(), parts[lost].tolist(), strict=True))
    equal = dict(zip(known.tolist(), parts.tolist(), strict=True))
    if "train" in group:  # the first of its group
        equal |= dict.fromkeys(record.trained.tolist(), 0)
    by_seed = np.repeat(np.arange(len(group)), [len(each) for each in images])[new].tolist()
    names = hash_names(pool.names[new], place).tolist()
    now = np.array(
        [
            equal.get(digest, gone.get(name, part))
            for digest, name, part in zip(digests[new].tolist(), names, by_seed, strict=True)
        ],
        int,
    )
    arranged = [
        pool.subset(
            torch.from_numpy(np.concatenate([order[is_there & (parts == k)], new[now == k]]))
        )
        for k in range(len(group))
    ]
    changed = len(gone.keys() & set(names))
    return arranged, DataChanges(
        changed=changed,
        added=len(new) - changed,
        removed=int((~is_there).sum()) - changed,
        relabelled=int((labels[order[is_there]] != known_labels[is_there]).sum()),
    )


def describe_trained(record: Record) -> list[str]:
    """Notes on images of the other parts that equal one that was ever trained on."""
    counts = {
        part: int(np.isin(record.digests[part], record.trained).sum())
        for part in PARTS
        if part != "train"
    }
    return [
        f"{count} of {len(record.digests[part])} {part} images are identical to a training image"
        for part, count in counts.items()
        if count
    ]


def pool_of(dataset: Dataset, part: str) -> Images:
    """The part if the set came with it; otherwise all images that were split, in their order."""
    if part not in dataset.pooled:
        return dataset.parts[part]
    first, *others = (dataset.parts[name] for name in dataset.pooled)
    whole = first.joined(others)
    return whole.subset(torch.from_numpy(np.argsort(whole.names, kind="stable")))


def _find(known: Digests, digests: Digests) -> npt.NDArray[np.int64]:
    """Where each known image is now, -1 where nowhere; each place is given once."""
    places = defaultdict[int, list[int]](list)
    for place in range(len(digests) - 1, -1, -1):
        places[int(digests[place])].append(place)
    return np.array([places[d].pop() if places[d] else -1 for d in known.tolist()], np.int64)
