"""Files by patterns: tf.matching_files, tf.gfile.Glob, string producers of matching names."""

import os
import tempfile


def _in_folder(function):
    """`function` in a new folder with a few files, and back."""

    def case(tf, np):
        before = os.getcwd()
        folder = tempfile.mkdtemp()
        os.chdir(folder)
        try:
            os.mkdir("sub")
            for name in ("a-1", "a-2", "b-1", "sub/a-3", ".hidden"):
                open(name, "w").close()
            return function(tf, np)
        finally:
            os.chdir(before)

    return case


def _matching(tf, np):
    patterns = ["a-*", "./a-*", "sub/*", "*", ["a-*", "b-*"], "none*", "a-1", "su*/a*", "[ab]-1"]
    with tf.Session() as sess:
        found = [list(sess.run(tf.matching_files(p))) for p in patterns]
        once = tf.train.match_filenames_once("a-*")
        sess.run(tf.local_variables_initializer())
        return {"found": found, "once": sess.run(once), "glob": sorted(tf.gfile.Glob("*-1"))}


def _no_folder(tf, np):
    with tf.Session() as sess:
        sess.run(tf.matching_files("x/y*"))


CASES = {"matching": _in_folder(_matching), "no_folder": _in_folder(_no_folder)}
