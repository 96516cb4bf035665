//! Reads every stream as it is, for people.
