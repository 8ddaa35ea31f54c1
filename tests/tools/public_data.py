"""Lay out the data that a public program looks for, in its temporary folder.

Real data (MNIST, CIFAR-10) is linked; data that cannot be had is replaced by made-up data of the
same layout, so a program runs on it but learns nothing of worth.
"""

from __future__ import annotations

import gzip
import random
import re
import zipfile
from pathlib import Path

import numpy as np

MNIST_FILES = tuple(
    f"{part}-{kind}-ubyte.gz"
    for part in ("train", "t10k")
    for kind in ("images-idx3", "labels-idx1")
)

# Folders that programs name in other ways than as one string.
MNIST_FOLDERS = ("MNIST_data", "MNIST-data", "mnist_data", "data")

# text8.zip has this many bytes, and word2vec_basic.py insists on them.
TEXT8_BYTES = 31344016


def link(source: Path, target: Path) -> None:
    """Makes `target` a link to `source` where nothing is yet."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists() and not target.is_symlink():
        target.symlink_to(source.resolve())


def mnist(program: Path, folder: Path, data: Path) -> None:
    """MNIST's four files in every folder that the program's text may mean, and for Keras."""
    texts = [path.read_text("utf-8", "replace") for path in program.parent.glob("*.py")]
    texts.append(program.read_text("utf-8", "replace").replace('\\"', '"'))
    below_tmp = rf"""["'](?:{re.escape(str(folder))})?/(tmp/[\w/-]+)["']"""
    named = {folder / name for text in texts for name in re.findall(below_tmp, text)}
    relative = r"""["']([\w.][\w./-]*)["']"""
    named |= {
        program.parent / name
        for text in texts
        for name in re.findall(relative, text)
        if re.search("mnist|data", name, re.I)
    }
    named |= {program.parent / name for name in MNIST_FOLDERS}
    for place in sorted(named):
        inside = folder in place.resolve().parents
        if inside and "." not in place.name and not place.is_file():
            for file in MNIST_FILES:
                link(data / "mnist" / file, place / file)
                link(unpacked(data / "mnist" / file), place / file.removesuffix(".gz"))
    keras_mnist(folder, data)


def unpacked(path: Path) -> Path:
    """The unpacked form of a .gz file, kept beside it."""
    made = path.with_suffix("")
    if not made.is_file():
        made.write_bytes(gzip.decompress(path.read_bytes()))
    return made


def keras_mnist(folder: Path, data: Path) -> None:
    """The file that tf.keras.datasets.mnist keeps in ~/.keras/datasets."""
    made = data / "mnist.npz"
    if not made.is_file():
        arrays = []
        for file in MNIST_FILES:
            content = unpacked(data / "mnist" / file).read_bytes()
            start, shape = (16, (-1, 28, 28)) if "images" in file else (8, (-1,))
            arrays.append(np.frombuffer(content, np.uint8, offset=start).reshape(shape))
        names = ("x_train", "y_train", "x_test", "y_test")
        np.savez_compressed(made, **dict(zip(names, arrays, strict=True)))
    link(made, folder / ".keras/datasets/mnist.npz")


def cifar_10(folder: Path, data: Path) -> None:
    """The unpacked binary version; the archive beside it is empty, for nobody opens it."""
    place = folder / "tmp/cifar10_data"
    for path in sorted((data / "cifar-10-batches-bin").iterdir()):
        link(path, place / "cifar-10-batches-bin" / path.name)
    (place / "cifar-10-binary.tar.gz").touch()


def ptb(program: Path, programs: Path) -> None:
    """The Penn Treebank's text: the validation part, which is the one to be had, trains too."""
    for path in sorted(programs.glob("*/**/PTB_data/ptb.*.txt")):
        link(path, program.parent / "simple-examples/data" / path.name)
        if path.name == "ptb.valid.txt":
            link(path, program.parent / "simple-examples/data/ptb.train.txt")


def text8(folder: Path) -> None:
    """text8.zip, of the real one's size, with made-up words of a natural-looking frequency."""
    chosen = random.Random(1)
    words = ["".join(chosen.choices("etaoinshrdlu", k=chosen.randint(2, 9))) for _ in range(120000)]
    text = " ".join(chosen.choices(words, [1 / (n + 3) for n in range(len(words))], k=1500000))
    text += " " + " ".join(words)

    def write(content: str) -> int:
        path = folder / "tmp/text8.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("text8", content)
        return path.stat().st_size

    room = TEXT8_BYTES - write("")
    write(((text + " ") * (room // len(text) + 1))[:room])


def imports_85(folder: Path) -> None:
    """UCI's automobile data: 26 columns, made up."""
    chosen = random.Random(1)
    one_of = chosen.choice
    lines = []
    for _ in range(205):
        size = chosen.randint(60, 300)
        row = [
            chosen.randint(-2, 3),
            one_of([str(chosen.randint(65, 256)), "?"]),
            one_of(["bmw", "audi", "toyota", "honda", "volvo"]),
            one_of(["gas", "diesel"]),
            one_of(["std", "turbo"]),
            one_of(["two", "four"]),
            one_of(["sedan", "wagon", "hatchback"]),
            one_of(["fwd", "rwd", "4wd"]),
            "front",
            *(round(chosen.uniform(low, low * 1.4), 1) for low in (86, 141, 60, 47)),
            chosen.randint(1488, 4066),
            one_of(["ohc", "dohc", "ohcv"]),
            one_of(["four", "six", "five"]),
            size,
            one_of(["mpfi", "2bbl", "idi"]),
            round(chosen.uniform(2.5, 3.9), 2),
            round(chosen.uniform(2.1, 4.1), 2),
            round(chosen.uniform(7, 23), 1),
            size + chosen.randint(-10, 60),
            chosen.randint(4150, 6600),
            chosen.randint(13, 49),
            chosen.randint(16, 54),
            size * 100 + chosen.randint(-900, 900),
        ]
        lines.append(",".join(map(str, row)))
    for name in (".keras/datasets/imports-85.data", "imports-85.data"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n")


def iris(program: Path, folder: Path, programs: Path) -> None:
    """The two CSV files, copies of which are in several repositories."""
    for part in ("training", "test"):
        name = f"iris_{part}.csv"
        source = min(programs.glob(f"*/**/{name}"))
        for place in (folder / ".keras/datasets", program.parent, folder / "tmp"):
            link(source, place / name)


def boston_housing(folder: Path) -> None:
    """Keras's boston_housing.npz, made up: x [506, 13], y [506], float64."""
    numbers = np.random.RandomState(1)
    x = numbers.rand(506, 13) * 10
    path = folder / ".keras/datasets/boston_housing.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, x=x, y=20 + x @ numbers.randn(13) + numbers.randn(506))


def abalone(program: Path) -> list[str]:
    """Three CSV files of seven measures and an age, made up; the arguments that name them."""
    numbers = np.random.RandomState(1)
    arguments = []
    for name, rows in (("train", 3320), ("test", 850), ("predict", 7)):
        x = numbers.rand(rows, 7)
        age = np.round(4 + 12 * x.mean(1) + numbers.rand(rows))
        path = program.parent / f"abalone_{name}.csv"
        np.savetxt(path, np.column_stack([x, age]), ["%.4f"] * 7 + ["%d"], ",")
        arguments += [f"--{name}_data", path.name]
    return arguments


def lay_out(needs: str, program: Path, folder: Path, data: Path, programs: Path) -> list[str]:
    """Puts the data in place that the column `data` of the list names.

    Args:
      needs: that column's text, for instance "mnist-in" or "download:iris csv".
      program: the program in its temporary copy.
      folder: the temporary folder, also the program's home directory.
      data: the folder with mnist/ and cifar-10-batches-bin/.
      programs: the folder of all repositories.

    Returns:
      Arguments that the program needs for its data.
    """
    if needs.startswith("repo:"):
        for name in re.findall(r"[\w./-]+\.csv", needs):
            source = next((p / name for p in program.parents if (p / name).is_file()), None)
            if source is not None:
                link(source, program.parent / source.name)
    if "mnist" in needs or "produced" in needs:
        mnist(program, folder, data)
    if "cifar10" in needs:
        cifar_10(folder, data)
    if "ptb-text" in needs:
        ptb(program, programs)
    if "text8" in needs:
        text8(folder)
    if "imports-85" in needs:
        imports_85(folder)
    if "iris csv" in needs:
        iris(program, folder, programs)
    if "boston_housing" in needs:
        boston_housing(folder)
    return abalone(program) if "abalone" in needs else []
