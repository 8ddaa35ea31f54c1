"""Cases: small TensorFlow 1 programs, run by relight and by real TensorFlow 1.15.

A case is a function `(tf, np) -> {label: value}` of a file here, or an entry of a file's `CASES`
table. Values are tensors, operations, nested lists of them (evaluated in a session after the
initializers have run) or plain results (numpy values, strings, lists). A case that must fail raises.
The syntax is Python 3.7's, and nothing is imported: real TensorFlow runs these files too.

Attributes of a case function:
    nodes = False       do not compare the graph's nodes (say why in a comment)
    NODES = False       the same, for a whole file (a module attribute)
    rtol, atol          tolerance of floating values (default 1e-5, 1e-6)
    seeded = False      values are random: compare types and shapes only
    slow = True         takes more than a few tenths of a second: `make test` runs it
"""
