//! Limits of the rules runtime. Each bounds work that a pack or a text could otherwise make unbounded.

/// Longest text, in bytes: a contract of 1,000 pages is about 3 MB.
pub const TEXT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Deepest nesting of a schema, `$ref` included: a schema that refers to itself ends here.
pub const DEPTH_MAX: usize = 16;
/// Most schema nodes after `$ref` expansion: references that double at each level end here.
pub const NODES_MAX: usize = 2_000;
/// Longest regular expression as written, in bytes.
pub const PATTERN_BYTES_MAX: usize = 2_000;
/// Most expressions of one hint: each is one pass over the text.
pub const PATTERNS_MAX: usize = 8;
/// Largest compiled expression, in bytes: bounds memory and the factor of the linear search.
pub const REGEX_BYTES_MAX: usize = 1024 * 1024;
/// Most phrases of one keyword value.
pub const PHRASES_MAX: usize = 64;
/// Most values that one property may give: keeps a chunk's answer well below 64 KB.
pub const MATCHES_MAX: usize = 64;
/// Most raw matches looked at for one expression: iteration over all matches is not linear by itself.
pub const RAW_MATCHES_MAX: usize = 256;
/// Most rules of one `check`, and most conditions of one rule.
pub const CHECKS_MAX: usize = 64;
/// Most values that one pointer with `*` may reach.
pub const SELECTED_MAX: usize = 4_096;
/// Most sources that one issue carries.
pub const SOURCES_MAX: usize = 8;
/// Longest quote of a match, in characters: a long sentence.
pub const QUOTE_CHARS_MAX: usize = 600;
/// Longest quote of a whole section, in characters.
pub const SECTION_CHARS_MAX: usize = 2_000;
/// Most sentences of a summary.
pub const SUMMARY_MAX: usize = 20;
/// Longest heading title, in bytes; a longer line is a paragraph.
pub const TITLE_BYTES_MAX: usize = 100;
