//! The read model: the log, folded into SQLite for lists, filters and sums.
