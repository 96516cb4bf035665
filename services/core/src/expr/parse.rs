//! From source text to a syntax tree, with limits checked before the parser's stack feels them.

use cel::{IdedExpr, ParseErrors, parser::PrattParser};

use crate::limits::{EXPRESSION_BYTES_MAX, EXPRESSION_MARKS_MAX};

/// Nesting of brackets that the parser itself stops at.
const NESTING_MAX: u16 = 16;

/// Parses CEL; macros come expanded.
///
/// The crate's other parser overflows a 2 MB stack at 16 nested brackets; this one counts them.
pub(super) fn parse(source: &str) -> Result<IdedExpr, String> {
    if source.len() > EXPRESSION_BYTES_MAX {
        return Err(format!("longer than {EXPRESSION_BYTES_MAX} bytes"));
    }
    if source.trim().is_empty() {
        return Err("empty".to_owned());
    }
    if source.contains('\0') {
        return Err("contains a NUL character".to_owned());
    }
    let marks = source.chars().filter(|c| "+-*/%!<>=&|?:.,[({".contains(*c)).count();
    if marks > EXPRESSION_MARKS_MAX {
        return Err(format!(
            "has more than {EXPRESSION_MARKS_MAX} operators and punctuation marks"
        ));
    }
    PrattParser::new().max_recursion_depth(NESTING_MAX).parse(source).map_err(|e| first(&e))
}

/// The first error, on one line, without the parser's drawing of the source.
fn first(errors: &ParseErrors) -> String {
    let Some(error) = errors.errors.first() else { return "not an expression".to_owned() };
    let message: String = error.msg.lines().next().unwrap_or_default().chars().take(200).collect();
    let message = message.strip_prefix("Syntax error: ").unwrap_or(&message);
    let column = error.pos.1;
    if column > 0 { format!("{message}, at its character {column}") } else { message.to_owned() }
}
