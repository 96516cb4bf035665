//! The functions that packs have beside CEL's own.
//!
//! All are pure, take time linear in their arguments, and none grows a text beyond
//! [`PAYLOAD_BYTES_MAX`] or a list beyond [`FAN_OUT_ITEMS_MAX`] items. That is also why
//! CEL's `replace`, `format` and `indexOf` are missing: with data for arguments they
//! take more memory or time than a process has.

use cel::{
    DeclarationError, Env, ExecutionError,
    common::{
        types::{
            CelBool, CelInt, CelList, CelMapKey, CelNull, CelString, INT_TYPE, LIST_TYPE,
            NULL_TYPE, STRING_TYPE,
        },
        value::{CowVal, Val},
    },
};
use serde_json::{Map, Value, json};

use super::bridge::{number_to_val, object, to_json};
use crate::limits::{FAN_OUT_ITEMS_MAX, PAYLOAD_BYTES_MAX};

/// A function that plain expressions call on JSON without the interpreter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Chunks,
    Compact,
    Merge,
}

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "chunks" => Some(Self::Chunks),
            "compact" => Some(Self::Compact),
            "merge" => Some(Self::Merge),
            _ => None,
        }
    }

    pub(super) fn call(self, arguments: Vec<Value>) -> Result<Value, String> {
        let mut arguments = arguments.into_iter();
        let first = arguments.next().unwrap_or_default();
        match self {
            Self::Chunks => {
                let (text, max) = (first.as_str(), arguments.next().unwrap_or_default());
                let (Some(text), Some(max)) = (text, max.as_i64()) else {
                    return Err("`chunks` wants a text and a number of characters".to_owned());
                };
                chunks(text, max).map(Value::Array)
            }
            Self::Compact => items("compact", first).map(compact).map(Value::Array),
            Self::Merge => items("merge", first).map(merge),
        }
    }
}

/// Adds all of them to CEL's own.
pub(super) fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_overload("chunks", "chunks_string", vec![STRING_TYPE, INT_TYPE], |args| {
        on_json(Function::Chunks, &args)
    })?;
    env.add_overload("compact", "compact_list", vec![LIST_TYPE], |args| {
        on_json(Function::Compact, &args)
    })?;
    env.add_overload("compact", "compact_null", vec![NULL_TYPE], |args| {
        on_json(Function::Compact, &args)
    })?;
    env.add_overload("merge", "merge_list", vec![LIST_TYPE], |args| {
        on_json(Function::Merge, &args)
    })?;
    env.add_overload("merge", "merge_null", vec![NULL_TYPE], |args| {
        on_json(Function::Merge, &args)
    })?;
    env.add_member_overload("substring", "substring_from", STRING_TYPE, vec![INT_TYPE], |args| {
        substring(&args)
    })?;
    env.add_member_overload(
        "substring",
        "substring_range",
        STRING_TYPE,
        vec![INT_TYPE, INT_TYPE],
        |args| substring(&args),
    )?;
    env.add_member_overload("lowerAscii", "lower_ascii", STRING_TYPE, vec![], |args| {
        Ok(CowVal::owned(CelString::from(text(&args, 0)?.to_ascii_lowercase())))
    })?;
    env.add_member_overload("upperAscii", "upper_ascii", STRING_TYPE, vec![], |args| {
        Ok(CowVal::owned(CelString::from(text(&args, 0)?.to_ascii_uppercase())))
    })?;
    env.add_member_overload("trim", "trim", STRING_TYPE, vec![], |args| {
        Ok(CowVal::owned(CelString::from(text(&args, 0)?.trim().to_owned())))
    })?;
    env.add_member_overload("split", "split", STRING_TYPE, vec![STRING_TYPE], |args| split(&args))?;
    env.add_member_overload("join", "join", LIST_TYPE, vec![], |args| join(&args))?;
    env.add_member_overload("join", "join_separator", LIST_TYPE, vec![STRING_TYPE], |args| {
        join(&args)
    })
}

/// Cuts a text into pieces of at most `max` characters (Unicode scalar values).
///
/// Each piece is `{text, offset}`, the offset in characters from the start; all texts
/// in a row are the whole text. A cut falls behind a blank line, else a line, else a
/// sentence, else a space, whichever is first found in the last three quarters.
pub(super) fn chunks(text: &str, max: i64) -> Result<Vec<Value>, String> {
    let Some(max) = usize::try_from(max).ok().filter(|max| *max > 0) else {
        return Err(format!("`chunks` wants at least 1 character a piece, not {max}"));
    };
    let (mut rest, mut offset, mut pieces) = (text, 0, Vec::new());
    while !rest.is_empty() {
        if pieces.len() == FAN_OUT_ITEMS_MAX {
            return Err(format!(
                "`chunks` gives more than {FAN_OUT_ITEMS_MAX} pieces: make them longer"
            ));
        }
        let (piece, behind) = rest.split_at(cut(rest, max));
        pieces.push(json!({"text": piece, "offset": offset}));
        offset += piece.chars().count();
        rest = behind;
    }
    Ok(pieces)
}

/// Bytes of the first piece of `text`; at least one character.
fn cut(text: &str, max: usize) -> usize {
    let Some((end, _)) = text.char_indices().nth(max) else { return text.len() };
    let (window, _) = text.split_at(end);
    let from = window.char_indices().nth(max / 4).map_or(0, |(at, _)| at);
    let behind = |at: usize| at > from;
    let lines = window.match_indices('\n').map(|(at, _)| at + 1);
    let blank = lines
        .clone()
        .zip(lines.clone().skip(1))
        .filter(|(last, this)| window.get(*last..*this).is_some_and(|line| line.trim().is_empty()));
    let sentence = [". ", "! ", "? "].iter().filter_map(|end| window.rfind(end)).map(|at| at + 2);
    let space = window.rfind(char::is_whitespace);
    let space = space.and_then(|at| window.get(at..)?.chars().next().map(|c| at + c.len_utf8()));
    blank
        .map(|(_, this)| this)
        .filter(|at| behind(*at))
        .last()
        .or_else(|| lines.rev().find(|at| behind(*at)))
        .or_else(|| sentence.filter(|at| behind(*at)).max())
        .or_else(|| space.filter(|at| behind(*at)))
        .unwrap_or(end)
}

/// The list without its nulls.
fn compact(mut items: Vec<Value>) -> Vec<Value> {
    items.retain(|item| !item.is_null());
    items
}

/// The union of a list's objects: lists joined, objects united, else the first that is not null.
fn merge(items: Vec<Value>) -> Value {
    let mut union = Map::new();
    for item in items {
        if let Value::Object(fields) = item {
            unite(&mut union, fields);
        }
    }
    Value::Object(union)
}

fn unite(union: &mut Map<String, Value>, fields: Map<String, Value>) {
    for (key, value) in fields {
        match (union.get_mut(&key), value) {
            (Some(Value::Object(known)), Value::Object(more)) => unite(known, more),
            (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
            (None | Some(Value::Null), value) => {
                union.insert(key, value);
            }
            (Some(_), _) => {}
        }
    }
}

/// A list argument; an absent step's `null` is an empty list.
fn items(function: &str, value: Value) -> Result<Vec<Value>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) if items.len() > FAN_OUT_ITEMS_MAX => Err(format!(
            "`{function}` takes at most {FAN_OUT_ITEMS_MAX} items, not {}",
            items.len()
        )),
        Value::Array(items) => Ok(items),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Err(format!("`{function}` wants a list"))
        }
    }
}

fn on_json<'b, 'v>(
    function: Function,
    arguments: &[CowVal<'b, 'v>],
) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let mut bytes_left = PAYLOAD_BYTES_MAX;
    let arguments = arguments.iter().map(|value| to_json(value.as_ref(), &mut bytes_left));
    let result = arguments.collect::<Result<_, _>>().and_then(|args| function.call(args));
    let result = result.map_err(|e| ExecutionError::function_error("call", e))?;
    Ok(CowVal::Owned(owned(result)))
}

/// The interpreter's own copy of a JSON value.
fn owned<'v>(value: Value) -> Box<dyn Val + 'v> {
    match value {
        Value::String(text) => Box::new(CelString::from(text)),
        Value::Array(items) => {
            Box::new(CelList::from(items.into_iter().map(owned).collect::<Vec<_>>()))
        }
        Value::Object(fields) => {
            let fields = fields.into_iter();
            Box::new(object(fields.map(|(key, value)| (CelMapKey::from(key), owned(value)))))
        }
        Value::Null => Box::new(CelNull),
        Value::Bool(bool) => Box::new(CelBool::from(bool)),
        Value::Number(number) => number_to_val(&number),
    }
}

/// The characters from `start` to before `end`, both drawn into the text.
fn substring<'b, 'v>(args: &[CowVal<'b, 'v>]) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let this = text(args, 0)?;
    let bound = |index: usize, default: usize| match args.get(index) {
        None => default,
        Some(value) => value
            .downcast_ref::<CelInt>()
            .map_or(default, |int| usize::try_from((*int.inner()).max(0)).unwrap_or(usize::MAX)),
    };
    let (start, end) = (bound(1, 0), bound(2, usize::MAX));
    let part: String = this.chars().skip(start).take(end.saturating_sub(start)).collect();
    Ok(CowVal::owned(CelString::from(part)))
}

fn split<'b, 'v>(args: &[CowVal<'b, 'v>]) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let (this, separator) = (text(args, 0)?, text(args, 1)?);
    let parts = this.split(separator).take(FAN_OUT_ITEMS_MAX + 1);
    let parts = parts.map(|part| Box::new(CelString::from(part.to_owned())) as Box<dyn Val + 'v>);
    let parts: Vec<_> = parts.collect();
    if parts.len() > FAN_OUT_ITEMS_MAX {
        let message = format!("gives more than {FAN_OUT_ITEMS_MAX} parts");
        return Err(ExecutionError::function_error("split", message));
    }
    Ok(CowVal::owned(CelList::from(parts)))
}

fn join<'b, 'v>(args: &[CowVal<'b, 'v>]) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let separator = if args.len() > 1 { text(args, 1)? } else { "" };
    let list = args.first().and_then(|list| list.downcast_ref::<CelList>());
    let mut joined = String::new();
    for (index, item) in list.map(CelList::inner).unwrap_or_default().iter().enumerate() {
        let Some(item) = item.downcast_ref::<CelString>() else {
            return Err(ExecutionError::function_error("join", "wants a list of texts"));
        };
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(item.inner());
        if joined.len() > PAYLOAD_BYTES_MAX {
            let message = format!("gives more than {PAYLOAD_BYTES_MAX} bytes");
            return Err(ExecutionError::function_error("join", message));
        }
    }
    Ok(CowVal::owned(CelString::from(joined)))
}

fn text<'a>(args: &'a [CowVal], index: usize) -> Result<&'a str, ExecutionError> {
    let text = args.get(index).and_then(|value| value.downcast_ref::<CelString>());
    text.map(CelString::inner).ok_or(ExecutionError::MissingArgumentOrTarget)
}
