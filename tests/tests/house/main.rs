//! Rules of the house that the compiler does not check: floors, file lengths, who reads the environment, what
//! watches it.

mod floors;
mod monitoring;
mod sources;
