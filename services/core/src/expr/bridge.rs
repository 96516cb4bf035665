//! Runs a checked syntax tree on JSON: values in and out, the functions, and the meter.
//!
//! Values are lent to the interpreter, texts uncopied, and only those that the
//! evaluation really reaches are converted. The meter bounds the work: every macro
//! charges the list that it walks, and inside macros every value that is copied,
//! scanned or compared is charged by its size.

use std::sync::{
    Arc, LazyLock, OnceLock,
    atomic::{AtomicU64, Ordering},
};

use cel::{
    Context, Env, ExecutionError, FunctionContext, IdedExpr, Value as CelValue,
    common::{
        types::{
            CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt,
        },
        value::{CowVal, Val},
    },
    context::VariableResolver,
};
use serde_json::{Map, Number, Value};

use super::{Path, functions};
use crate::limits::{EXPRESSION_WORK_MAX, PAYLOAD_BYTES_MAX};

/// Charges a value and gives it back. Cannot be written in source.
pub(super) const WEIGH: &str = "@weigh";
/// Charges a list, and makes a list of an object's keys: sorted, so that the order is fixed.
pub(super) const EACH: &str = "@each";

/// Bytes of text that count as one value.
const BYTES_PER_UNIT: u64 = 64;

/// An expression that the interpreter has to run.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) tree: IdedExpr,
    pub(super) paths: Vec<Path>,
    pub(super) is_metered: bool,
}

impl Program {
    /// The value for the given values of [`Self::paths`], in their order.
    pub(super) fn run(&self, values: &[Option<&Value>]) -> Result<Value, String> {
        let slots = self.paths.iter().zip(values);
        let slots = slots.map(|(path, value)| Slot {
            name: path.to_string(),
            value: *value,
            converted: OnceLock::new(),
        });
        let slots = Slots(slots.collect());
        let mut context = Context::with_env(environment()?);
        context.set_variable_resolver(&slots);
        let meter = Arc::new(AtomicU64::new(EXPRESSION_WORK_MAX));
        if self.is_metered {
            let (weigh, each) = (Arc::clone(&meter), Arc::clone(&meter));
            let added = context
                .add_function(WEIGH, metered(move |value| weigh.charge(value)))
                .and_then(|()| {
                    context.add_function(EACH, metered(move |value| each.charge(value).map(keys)))
                });
            added.map_err(|e| e.to_string())?;
        }
        let result = CelValue::resolve_val(&self.tree, &context);
        // A macro may have swallowed the refusal.
        if meter.load(Ordering::Relaxed) == 0 {
            return Err(TOO_MUCH_WORK.to_owned());
        }
        let result = result.map_err(|e| reason(&e))?;
        let mut bytes_left = PAYLOAD_BYTES_MAX;
        to_json(result.as_ref(), &mut bytes_left)
    }
}

const TOO_MUCH_WORK: &str =
    "takes too much work for the data at hand: use smaller lists or fewer nested macros";

/// One path that the expression reads, converted when it is first asked for.
struct Slot<'v> {
    name: String,
    value: Option<&'v Value>,
    converted: OnceLock<Box<dyn Val + 'v>>,
}

struct Slots<'v>(Vec<Slot<'v>>);

impl VariableResolver for Slots<'_> {
    /// The interpreter asks for `a.b.c` first, then, when there is none, for `a.b` and `a`.
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        if let Some(slot) = self.0.iter().find(|slot| slot.name == variable) {
            let value = slot.value?;
            return Some(CowVal::Borrowed(&**slot.converted.get_or_init(|| to_val(value))));
        }
        // Asked only because the whole path has no value: an empty object says so cheaply.
        let is_prefix = |slot: &&Slot| {
            slot.name.strip_prefix(variable).is_some_and(|rest| rest.starts_with('.'))
        };
        self.0.iter().find(is_prefix).map(|_| CowVal::owned(CelMap::default()))
    }
}

/// The functions of packs; `Err` is a bug, kept for the caller to tell.
fn environment() -> Result<Arc<Env>, String> {
    static ENVIRONMENT: LazyLock<Result<Arc<Env>, String>> = LazyLock::new(|| {
        let mut env = Env::default().with_optional_support(false).with_stdlib();
        functions::declare(&mut env).map_err(|e| e.to_string())?;
        Ok(Arc::new(env))
    });
    ENVIRONMENT.clone()
}

type Metered = Box<
    dyn for<'c, 'v> Fn(&mut FunctionContext<'c, 'v>) -> Result<CowVal<'c, 'v>, ExecutionError>
        + Send
        + Sync,
>;

/// A function of one argument that hands it on.
fn metered(
    charge: impl for<'c, 'v> Fn(CowVal<'c, 'v>) -> Result<CowVal<'c, 'v>, ExecutionError>
    + Send
    + Sync
    + 'static,
) -> Metered {
    Box::new(move |context| {
        let value = context.args.pop().ok_or(ExecutionError::MissingArgumentOrTarget)?;
        charge(value)
    })
}

/// Takes the work that a value stands for out of what is left.
trait Charge {
    fn charge<'c, 'v>(&self, value: CowVal<'c, 'v>) -> Result<CowVal<'c, 'v>, ExecutionError>;
}

impl Charge for AtomicU64 {
    fn charge<'c, 'v>(&self, value: CowVal<'c, 'v>) -> Result<CowVal<'c, 'v>, ExecutionError> {
        let work = weight(value.as_ref());
        let left = self.load(Ordering::Relaxed).saturating_sub(work);
        self.store(left, Ordering::Relaxed);
        if left == 0 {
            return Err(ExecutionError::function_error(WEIGH, TOO_MUCH_WORK));
        }
        Ok(value)
    }
}

/// Values inside `value`, itself included; a long text counts as several.
fn weight(value: &dyn Val) -> u64 {
    if let Some(text) = value.downcast_ref::<CelString>() {
        return 1 + text.inner().len() as u64 / BYTES_PER_UNIT;
    }
    if let Some(list) = value.downcast_ref::<CelList>() {
        return list.inner().iter().map(|item| weight(item.as_ref())).sum::<u64>() + 1;
    }
    if let Some(object) = value.downcast_ref::<CelMap>() {
        return object.inner().values().map(|item| weight(item.as_ref()) + 1).sum::<u64>() + 1;
    }
    1
}

/// The sorted keys of an object; any other value as it is.
fn keys<'c, 'v>(value: CowVal<'c, 'v>) -> CowVal<'c, 'v> {
    let Some(object) = value.downcast_ref::<CelMap>() else { return value };
    let mut keys: Vec<Box<dyn Val + 'v>> =
        object.inner().keys().map(|key| key.inner().clone_as_boxed()).collect();
    keys.sort_by_key(|key| match key.downcast_ref::<CelString>() {
        Some(text) => text.inner().to_owned(),
        None => format!("{key:?}"),
    });
    CowVal::owned(CelList::from(keys))
}

/// The interpreter's view of a JSON value; texts are lent.
pub(super) fn to_val<'v>(value: &'v Value) -> Box<dyn Val + 'v> {
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(bool) => Box::new(CelBool::from(*bool)),
        Value::Number(number) => number_to_val(number),
        Value::String(text) => Box::new(CelString::from(text.as_str())),
        Value::Array(items) => {
            Box::new(CelList::from(items.iter().map(to_val).collect::<Vec<_>>()))
        }
        Value::Object(fields) => {
            let fields = fields.iter();
            Box::new(object(
                fields.map(|(key, value)| (CelMapKey::from(key.as_str()), to_val(value))),
            ))
        }
    }
}

/// The interpreter's view of a number; an integer stays one.
pub(super) fn number_to_val<'v>(number: &Number) -> Box<dyn Val + 'v> {
    match (number.as_i64(), number.as_u64()) {
        (Some(int), _) => Box::new(CelInt::from(int)),
        (None, Some(uint)) => Box::new(CelUInt::from(uint)),
        (None, None) => Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN))),
    }
}

/// The interpreter's view of an object.
#[expect(
    clippy::disallowed_types,
    reason = "the interpreter's maps are made of one; nothing here walks it unsorted"
)]
pub(super) fn object<'v>(
    fields: impl Iterator<Item = (CelMapKey<'v>, Box<dyn Val + 'v>)>,
) -> CelMap<'v> {
    CelMap::from(fields.collect::<std::collections::HashMap<_, _>>())
}

/// JSON of an interpreter's value; takes its size out of `bytes_left`.
pub(super) fn to_json(value: &dyn Val, bytes_left: &mut usize) -> Result<Value, String> {
    let mut take = |bytes: usize| match bytes_left.checked_sub(bytes) {
        Some(left) => {
            *bytes_left = left;
            Ok(())
        }
        None => Err(format!("gives more than {PAYLOAD_BYTES_MAX} bytes")),
    };
    if let Some(text) = value.downcast_ref::<CelString>() {
        take(text.inner().len() + 2)?;
        return Ok(text.inner().into());
    }
    take(4)?;
    if let Some(int) = value.downcast_ref::<CelInt>() {
        return Ok((*int.inner()).into());
    }
    if let Some(bool) = value.downcast_ref::<CelBool>() {
        return Ok((*bool.inner()).into());
    }
    if value.downcast_ref::<CelNull>().is_some() {
        return Ok(Value::Null);
    }
    if let Some(list) = value.downcast_ref::<CelList>() {
        let items = list.inner().iter().map(|item| to_json(item.as_ref(), bytes_left));
        return items.collect::<Result<_, _>>().map(Value::Array);
    }
    if let Some(object) = value.downcast_ref::<CelMap>() {
        return object_to_json(object, bytes_left).map(Value::Object);
    }
    if let Some(double) = value.downcast_ref::<CelDouble>() {
        let number = Number::from_f64(*double.inner());
        return number.map(Value::Number).ok_or_else(|| format!("gives {}", double.inner()));
    }
    if let Some(uint) = value.downcast_ref::<CelUInt>() {
        return Ok((*uint.inner()).into());
    }
    Err(format!("gives a {}, which JSON has not", value.get_type().name()))
}

fn object_to_json(object: &CelMap, bytes_left: &mut usize) -> Result<Map<String, Value>, String> {
    let mut fields = Map::new();
    for (key, value) in object.inner() {
        let Some(key) = key.inner().downcast_ref::<CelString>() else {
            return Err("gives an object whose keys are not texts".to_owned());
        };
        let value = to_json(value.as_ref(), bytes_left)?;
        let Some(left) = bytes_left.checked_sub(key.inner().len()) else {
            return Err(format!("gives more than {PAYLOAD_BYTES_MAX} bytes"));
        };
        *bytes_left = left;
        fields.insert(key.inner().to_owned(), value);
    }
    Ok(fields)
}

/// What went wrong, for people: kinds of values, never the values, which are data and in no order.
fn reason(error: &ExecutionError) -> String {
    let kind = CelValue::type_of;
    #[expect(clippy::wildcard_enum_match_arm, reason = "the rest are no errors of data")]
    match error {
        ExecutionError::NoSuchKey(key) => format!("there is no field `{}`", shortened(key)),
        ExecutionError::NoSuchOverload(it) => format!(
            "`{}` does not fit {}",
            it.function().trim_matches(['_', '@']),
            it.argument_types().join(" and ")
        ),
        ExecutionError::UnsupportedBinaryOperator(operator, left, right) => {
            format!("`{operator}` does not fit {} and {}", kind(left), kind(right))
        }
        ExecutionError::ValuesNotComparable(left, right) => {
            format!("{} and {} cannot be compared", kind(left), kind(right))
        }
        ExecutionError::UnsupportedIndex(index, value) => {
            format!("{} is no index of {}", kind(index), kind(value))
        }
        ExecutionError::UnsupportedKeyType(key) => format!("{} cannot be a key", kind(key)),
        ExecutionError::IndexOutOfBounds(_) => "the list has no such item".to_owned(),
        ExecutionError::DuplicateKey(_) => "two keys of an object are the same".to_owned(),
        ExecutionError::FunctionError { function, message } => {
            format!("`{function}`: {}", shortened(message))
        }
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "divides by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "a number is out of range".to_owned(),
        ExecutionError::UndeclaredReference(name) => format!("`{name}` has no value here"),
        ExecutionError::UnexpectedType { want, .. } => format!("wants a {want}"),
        _ => "its values do not fit".to_owned(),
    }
}

/// The first 200 bytes of a text that may be as long as the data.
fn shortened(text: &impl std::fmt::Display) -> String {
    use std::fmt::Write as _;

    struct Short(String);
    impl std::fmt::Write for Short {
        fn write_str(&mut self, part: &str) -> std::fmt::Result {
            for c in part.chars() {
                if self.0.len() >= 200 {
                    return Err(std::fmt::Error);
                }
                self.0.push(c);
            }
            Ok(())
        }
    }
    let mut short = Short(String::new());
    // The error only says that the text was cut.
    if write!(short, "{text}").is_err() {
        short.0.push('…');
    }
    short.0
}
