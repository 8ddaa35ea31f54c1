"""`tf.contrib.learn.datasets.text_datasets`: DBpedia's titles and abstracts with their classes."""

from __future__ import annotations

import os
import tarfile

import numpy as np

from relight.v1.contrib.learn.datasets import base

DBPEDIA_URL = "https://github.com/le-scientifique/torchDatasets/raw/master/dbpedia_csv.tar.gz"
# DBpedia's classes in order, each with names for examples that are made up.
_MADE_UP = (
    ("company", ("Northwind Traders", "Acme Tools", "Blue Kettle")),
    ("school", ("Hillside Grammar School", "Lakeview College", "Old Mill Academy")),
    ("painter", ("Ada Morel", "Jon Vane", "Ida Brook")),
    ("football player", ("Leo Santo", "Max Ferro", "Tom Dale")),
    ("member of parliament", ("Ruth Ames", "Carl Odin", "Eva Stein")),
    ("sailing ship", ("Morning Star", "Sea Lark", "Old Faithful")),
    ("town hall", ("Castle House", "Market Hall", "Clock House")),
    ("mountain lake", ("Silver Lake", "Crow Lake", "Deep Mere")),
    ("village", ("Stone Ford", "Upper Vale", "Nether Wick")),
    ("species of beetle", ("Carabus minor", "Lampyris alba", "Cetonia viridis")),
    ("species of grass", ("Poa serena", "Festuca mira", "Avena alta")),
    ("studio album", ("Night Train", "Paper Moons", "Quiet Rooms")),
    ("silent film", ("The Lighthouse Keeper", "Two Letters", "The Last Ferry")),
    ("novel", ("A House by the Canal", "The Winter Road", "Salt and Iron")),
)


def maybe_download_dbpedia(data_dir: str) -> None:
    """Fetch and unpack DBpedia's CSV files below `data_dir`, unless they are there."""
    names = [os.path.join(data_dir, "dbpedia_csv", part) for part in ("train.csv", "test.csv")]
    if not all(os.path.exists(name) for name in names):
        archive = base.maybe_download("dbpedia_csv.tar.gz", data_dir, DBPEDIA_URL)
        with tarfile.open(archive, "r:*") as packed:
            packed.extractall(data_dir, filter="data")


def load_dbpedia(size: str = "small", test_with_fake_data: bool = False) -> base.Datasets:
    """Classes [n] (int32, from 1) and texts [n, 2] (title, abstract) to train and to test with.

    "small" keeps one example of a thousand. `test_with_fake_data` gives made-up sentences instead
    of fetching anything. The environment's TF_EXP_BASE_DIR is where `dbpedia_data` is kept.
    """
    if test_with_fake_data:
        return base.Datasets(train=_made_up(0, 2), validation=None, test=_made_up(2, 3))
    data_dir = os.path.join(os.getenv("TF_EXP_BASE_DIR", ""), "dbpedia_data")
    maybe_download_dbpedia(data_dir)
    found = []
    for part in ("train", "test"):
        path = os.path.join(data_dir, "dbpedia_csv", part + ".csv")
        if size == "small":
            base.shrink_csv(path, 1000)
            path = os.path.join(data_dir, "dbpedia_csv", part + "_small.csv")
        found.append(
            base.load_csv_without_header(
                path, target_dtype=np.int32, features_dtype=np.str_, target_column=0
            )
        )
    return base.Datasets(train=found[0], validation=None, test=found[1])


def _made_up(first: int, end: int) -> base.Dataset:
    rows, classes = [], []
    for number, (kind, names) in enumerate(_MADE_UP, start=1):
        for name in names[first:end]:
            rows.append((name, f"{name} is a {kind}."))
            classes.append(number)
    return base.Dataset(data=np.array(rows), target=np.array(classes, np.int32))
