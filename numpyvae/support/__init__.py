"""How are arguments checked, and how are files written? Small helpers for every other room.

Read types, then inputs (checks of arguments), configured (objects that know how they were made),
copies (of models, whose arrays are views of one vector), state (what a continuation needs), unused
(objects that warn if nobody uses them), tables (shapes of arrays), logarithms (log of a mean of
exponentials), files (reading and replacing files), arrays (NumPy's files, which may be hostile),
interrupts (Ctrl-C while files are written), lock (one process in a folder), threads (of the
matrix products), and version.
"""
