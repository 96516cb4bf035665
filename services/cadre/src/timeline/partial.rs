//! What models say while they say it, between the records of a task.
//!
//! It is for whoever looks on: nothing of it is kept, and what is lost is only marked. What counts is what the
//! records say.

use std::{collections::BTreeMap, mem};

use cadre_core::{ids::StepId, model::gateway::Part, task::Record};
use futures::{
    StreamExt as _,
    future::ready,
    stream::{self, BoxStream, PollNext},
};
use indicatif::ProgressBar;
use serde_json::json;

use super::{FollowError, Records};
use crate::output::{self, Format, text::clean};

/// Characters of one line.
const LINE_CHARS: usize = 80;

/// Answers that are put together at once; a task with more is followed in part.
const ANSWERS_MAX: usize = 256;

/// Something of a task that is followed.
pub(crate) enum Seen {
    /// A record.
    Record(Record),
    /// More of what a model says.
    Part(Part),
}

/// The records of a task, and between them what its models say; ends with the records.
///
/// Parts go first: what was said before a record was written has arrived before it.
pub(crate) fn with_parts(
    records: Records,
    parts: BoxStream<'static, Part>,
) -> BoxStream<'static, Result<Seen, FollowError>> {
    let records = records.map(|record| Some(record.map(Seen::Record)));
    let records = records.chain(stream::once(ready(None)));
    let parts = parts.map(|part| Some(Ok(Seen::Part(part))));
    stream::select_with_strategy(parts, records, |(): &mut ()| PollNext::Left)
        .take_while(|seen| ready(seen.is_some()))
        .filter_map(ready)
        .boxed()
}

/// Shows what models say: its last words at a terminal, else in lines.
#[derive(Debug, Default)]
pub(crate) struct Voice {
    answers: Answers,
    format: Format,
    /// Standard output is for something else.
    is_talk: bool,
    live: Option<ProgressBar>,
}

impl Voice {
    /// A voice that has heard nothing yet.
    pub(crate) fn new(format: Format) -> Self {
        let live = (output::is_terminal() && format == Format::Table).then(|| output::spinner(""));
        Self { format, live, ..Self::default() }
    }

    /// A voice beside a document that is the command's data.
    pub(crate) fn beside() -> Self {
        Self { is_talk: true, ..Self::default() }
    }

    /// Shows a part.
    ///
    /// # Errors
    /// When nobody reads the output any more.
    pub(crate) fn hear(&mut self, part: &Part) -> anyhow::Result<()> {
        match self.format {
            Format::Id => return Ok(()),
            Format::Json | Format::Ndjson => return output::ndjson(&document(part)),
            Format::Table => {}
        }
        let lines = self.answers.hear(part);
        match &self.live {
            Some(live) => live.set_message(self.answers.last_words(part)),
            None if self.is_talk => lines.iter().for_each(|line| output::say(line)),
            None => lines.iter().try_for_each(|line| output::data(line))?,
        }
        Ok(())
    }

    /// Prints what else there is, without mixing it up with the last words.
    pub(crate) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.live {
            Some(live) => live.suspend(print),
            None => print(),
        }
    }
}

fn document(part: &Part) -> serde_json::Value {
    let Part { step, key, offset, text, is_end, .. } = part;
    json!({"said": {
        "step": step.to_string(), "key": key, "offset": offset, "text": text, "end": is_end,
    }})
}

/// Answers that are on their way, by the key of their call.
#[derive(Debug, Default)]
struct Answers(BTreeMap<String, Answer>);

/// One answer as far as it was heard.
#[derive(Debug, Default)]
struct Answer {
    /// Bytes up to which it was heard.
    heard: u64,
    /// What has not been shown as a line.
    rest: String,
}

impl Answers {
    /// The lines that are whole with this part.
    fn hear(&mut self, part: &Part) -> Vec<String> {
        if self.0.len() >= ANSWERS_MAX && !self.0.contains_key(&part.key) {
            return Vec::new();
        }
        let answer = self.0.entry(part.key.clone()).or_default();
        let mut lines = Vec::new();
        if part.offset < answer.heard {
            lines.extend(answer.flush());
            lines.push("(begins anew)".to_owned());
        } else if part.offset > answer.heard {
            answer.rest.push_str(&format!(" [{} bytes not heard] ", part.offset - answer.heard));
        }
        answer.heard = part.offset + part.text.len() as u64;
        answer.rest.push_str(&part.text);
        while let Some(line) = answer.whole_line() {
            lines.push(line);
        }
        if part.is_end {
            lines.extend(answer.flush());
            self.0.remove(&part.key);
        }
        lines.iter().map(|line| shown(&part.step, line)).collect()
    }

    /// What was said last, as much as fits beside the step's name.
    fn last_words(&self, part: &Part) -> String {
        let rest = self.0.get(&part.key).map(|answer| answer.rest.as_str()).unwrap_or_default();
        format!("{}  {}", part.step, clean(rest))
    }
}

impl Answer {
    /// Up to a line break, or as many words as a line holds.
    fn whole_line(&mut self) -> Option<String> {
        let limit = self.rest.char_indices().nth(LINE_CHARS).map(|(at, _)| at);
        let head = self.rest.get(..limit.unwrap_or(self.rest.len()))?;
        let end = match (head.find('\n'), limit) {
            (Some(at), _) => at + 1,
            (None, Some(limit)) => head.rfind(' ').map_or(limit, |at| at + 1),
            (None, None) => return None,
        };
        let rest = self.rest.split_off(end);
        Some(mem::replace(&mut self.rest, rest))
    }

    fn flush(&mut self) -> Option<String> {
        let rest = mem::take(&mut self.rest);
        (!rest.trim().is_empty()).then_some(rest)
    }
}

/// In the columns of the timeline.
fn shown(step: &StepId, text: &str) -> String {
    format!("{:>9}  said   {:<14}  {}", "", step.to_string(), clean(text.trim_end()))
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use cadre_core::ids::{Name, TaskId};

    use super::*;

    fn part(key: &str, offset: u64, text: &str) -> Part {
        let name = |text: &str| Name::new(text).unwrap();
        let (task, step) = (TaskId::derive(&name("acme"), "1"), StepId::single(name("read")));
        let (key, text) = (key.to_owned(), text.to_owned());
        Part { task, step, key, offset, is_end: text.is_empty(), text }
    }

    /// The texts of the lines that these parts make.
    fn lines(parts: &[(u64, &str)]) -> Vec<String> {
        let mut answers = Answers::default();
        let lines = parts.iter().flat_map(|(offset, text)| answers.hear(&part("k", *offset, text)));
        let lines: Vec<_> = lines.collect();
        assert!(lines.iter().all(|line| line.starts_with("           said   read")), "{lines:?}");
        lines.iter().map(|line| line[33..].trim_start().to_owned()).collect()
    }

    #[tokio::test]
    async fn what_was_said_before_the_end_is_heard_before_it() {
        let parts = stream::iter((0..50).map(|offset| part("k", offset, "a")));
        let seen = with_parts(stream::empty().boxed(), parts.chain(stream::pending()).boxed());
        assert_eq!(seen.count().await, 50);
    }

    #[test]
    fn parts_become_lines_of_words() {
        assert_eq!(lines(&[(0, "one "), (4, "two\nthr"), (11, "ee")]), ["one two"]);
        assert_eq!(lines(&[(0, "one"), (3, "")]), ["one"], "the end shows what is left");
        let long = "word ".repeat(40);
        let shown = lines(&[(0, &long), (200, "")]);
        assert_eq!(shown.len(), 3);
        assert!(shown.iter().all(|line| line.len() <= LINE_CHARS), "{shown:?}");
        let solid = "é".repeat(200);
        let cut = lines(&[(0, &solid), (400, "")]);
        assert_eq!(cut.iter().map(|line| line.chars().count()).collect::<Vec<_>>(), [80, 80, 40]);
    }

    #[test]
    fn what_is_lost_or_begins_anew_is_marked() {
        assert_eq!(lines(&[(0, "one"), (8, "two"), (11, "")]), ["one [5 bytes not heard] two"]);
        assert_eq!(
            lines(&[(0, "one"), (0, "two"), (3, "")]),
            ["one", "(begins anew)", "two"],
            "another model was asked"
        );
        assert_eq!(lines(&[(0, "a\u{1b}[2J\n")]), ["a [2J"], "nothing steers the terminal");
    }

    #[test]
    fn answers_of_several_calls_do_not_mix_and_are_bounded() {
        let mut answers = Answers::default();
        for number in 0..ANSWERS_MAX + 10 {
            answers.hear(&part(&number.to_string(), 0, "x"));
        }
        assert_eq!(answers.0.len(), ANSWERS_MAX);
        assert_eq!(answers.hear(&part("1", 1, "")).len(), 1);
        assert_eq!(answers.0.len(), ANSWERS_MAX - 1);
    }
}
