"""How are arguments checked, and how are files written? Small helpers for every other room.

Read types, then inputs (checks of arguments), files (reading and replacing files), and threads (of
the matrix products).
"""
