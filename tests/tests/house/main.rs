//! Rules of the house that the compiler does not check: floors, file lengths, who reads the environment.

mod floors;
mod sources;
