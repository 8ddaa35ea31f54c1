"""CIFAR-10 for the network: files -> records -> distorted images -> shuffled batches.

Everything here is part of the graph. Threads of the session run it beside the training: one reads
file names into a queue, several read a record each, distort its image and put it into a second
queue, from which the training step takes its batches.

A file of the binary version (https://www.cs.toronto.edu/~kriz/cifar.html) is 10,000 records of
3,073 bytes: the label, then 1,024 bytes each of red, green and blue, row by row.
"""

import os

import tensorflow as tf

ADDRESS = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
FOLDER = "cifar-10-batches-bin"

CLASSES = 10
SIDE = 32  # pixels of an image's side in the files
CROP = 24  # and of what the network sees
CHANNELS = 3
RECORD_BYTES = 1 + SIDE * SIDE * CHANNELS
TRAINING_EXAMPLES = 50000
TEST_EXAMPLES = 10000

TRAINING_FILES = [f"data_batch_{i}.bin" for i in range(1, 6)]
TEST_FILES = ["test_batch.bin"]


def find_files(data_dir, names):
    """Paths of data files under `data_dir`, fetched first when there is no such folder.

    Raises ValueError for a missing or empty file and for one that is cut short: a reader would
    leave the rest of a record out without a word.
    """
    folder = os.path.join(data_dir, FOLDER)
    if not tf.gfile.IsDirectory(folder):
        tf.gfile.MakeDirs(data_dir)
        tf.keras.utils.get_file(
            os.path.basename(ADDRESS),
            ADDRESS,
            file_hash=MD5,
            hash_algorithm="md5",
            extract=True,
            cache_dir=data_dir,
            cache_subdir=".",
        )
    paths = [os.path.join(folder, name) for name in names]
    for path in paths:
        if not tf.gfile.Exists(path):
            raise ValueError(f"no file {path}; remove {folder} to fetch it anew")
        size = tf.gfile.Stat(path).length
        if size == 0 or size % RECORD_BYTES:
            raise ValueError(
                f"{path} is damaged: it has {size} bytes, and the record at byte "
                f"{size - size % RECORD_BYTES} is cut short (records have {RECORD_BYTES} bytes)"
            )
    return paths


def read_record(file_names):
    """The next record of the files that the queue `file_names` holds.

    Returns (image uint8 [32, 32, 3], label int32 []). Running it fails with InvalidArgumentError
    when the label is above 9; the message has the file and the number of the record in it.
    """
    reader = tf.FixedLengthRecordReader(RECORD_BYTES)
    key, value = reader.read(file_names)
    record = tf.decode_raw(value, tf.uint8)
    label = tf.cast(record[0], tf.int32)
    known = tf.Assert(label < CLASSES, ["label above 9 in <file>:<record>", key, label])
    with tf.control_dependencies([known]):
        label = tf.identity(label)
    channels_first = tf.reshape(record[1:RECORD_BYTES], [CHANNELS, SIDE, SIDE])
    return tf.transpose(channels_first, [1, 2, 0]), label


def distort(image):
    """A random crop [24, 24, 3] of an image [32, 32, 3], mirrored, lighter, or of other contrast.

    The pixels of the result have mean 0 and variance 1.
    """
    image = tf.random_crop(tf.cast(image, tf.float32), [CROP, CROP, CHANNELS])
    image = tf.image.random_flip_left_right(image)
    image = tf.image.random_brightness(image, max_delta=63)
    image = tf.image.random_contrast(image, lower=0.2, upper=1.8)
    return tf.image.per_image_standardization(image)


def centre(image):
    """The middle [24, 24, 3] of an image [32, 32, 3], of mean 0 and variance 1."""
    image = tf.image.resize_image_with_crop_or_pad(tf.cast(image, tf.float32), CROP, CROP)
    return tf.image.per_image_standardization(image)


def training_batch(data_dir, batch_size, threads=16, shuffle_over=20000):
    """Distorted images float32 [batch_size, 24, 24, 3] and labels int32 [batch_size].

    `threads` threads distort images. Each batch is drawn from at least `shuffle_over` examples, so
    that the classes mix; training starts when so many are ready.
    """
    with tf.name_scope("training_input"):
        file_names = tf.train.string_input_producer(find_files(data_dir, TRAINING_FILES))
        image, label = read_record(file_names)
        distorted = distort(image)
        # Writing summaries reads one record more, and shows it as it was and as it became.
        tf.summary.image("before", tf.expand_dims(image, 0), max_outputs=1)
        tf.summary.image("after", tf.expand_dims(distorted, 0), max_outputs=1)
        return tf.train.shuffle_batch(
            [distorted, label],
            batch_size,
            num_threads=threads,
            capacity=shuffle_over + 3 * batch_size,
            min_after_dequeue=shuffle_over,
        )


def test_batch(data_dir, batch_size, on_training_files=False, threads=16):
    """Images float32 [batch_size, 24, 24, 3] and labels int32 [batch_size] for evaluation."""
    with tf.name_scope("test_input"):
        names = TRAINING_FILES if on_training_files else TEST_FILES
        file_names = tf.train.string_input_producer(find_files(data_dir, names), shuffle=False)
        image, label = read_record(file_names)
        return tf.train.batch(
            [centre(image), label],
            batch_size,
            num_threads=threads,
            capacity=8 * batch_size,
        )
