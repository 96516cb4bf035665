//! What of a conversation goes into the next prompt, and what is left out of it.
//!
//! ```text
//!  head ───────────────┐ group ─────────────────────┐ group ──────────────────┐
//!  user (input, hints) │ model ─ tools ─ (user) …   │ model ─ tools ─ (user)  │
//!  always              │ oldest is left out first   │ the last one stays      │
//! ```
//!
//! A model's turn and the answers of its tools belong together: providers refuse one without the other.
//! Which turns are out follows from the turns alone, so whoever replays a journal cuts the same.

use serde_json::{Value, json};

use super::{
    Turn,
    tokens::{of_text, of_turn},
};

/// What is left out of a conversation so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Cut {
    /// The first turn behind the head that stays; 0 while nothing is left out.
    from: usize,
    /// Stands for what is left out.
    summary: Option<String>,
    /// What was left out, in order.
    gone: Vec<Gone>,
}

/// Turns that were left out together.
#[derive(Debug, Clone, PartialEq)]
struct Gone {
    first: usize,
    last: usize,
    tokens: u64,
    is_summarised: bool,
}

/// The conversation does not fit, whatever is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong {
    /// Tokens of what cannot be left out.
    pub(super) tokens: u64,
}

impl Cut {
    /// The turn from which on everything fits into `room` tokens beside the head; at least the last
    /// group stays. What is left out already stays out.
    pub(super) fn wanted(&self, turns: &[Turn], room: u64) -> Result<usize, TooLong> {
        let head = head(turns);
        let mut starts = groups(turns).filter(|start| *start >= self.from);
        let told = self.told(turns.get(..head).unwrap_or_default());
        let used = |start: usize| {
            let kept = turns.get(start..).unwrap_or_default();
            told.iter().chain(kept).map(of_turn).sum::<u64>()
        };
        let Some(mut start) = starts.next() else {
            let tokens = used(turns.len());
            return if tokens <= room { Ok(self.from) } else { Err(TooLong { tokens }) };
        };
        loop {
            let tokens = used(start);
            match (tokens <= room, starts.next()) {
                (true, _) => return Ok(if start == head { self.from } else { start }),
                (false, Some(next)) => start = next,
                (false, None) => return Err(TooLong { tokens }),
            }
        }
    }

    /// Whether `from` leaves out more than is out now.
    pub(super) fn grows_to(&self, from: usize) -> bool {
        from > self.from
    }

    /// The turns that would go if `from` were first.
    pub(super) fn going<'t>(&self, turns: &'t [Turn], from: usize) -> &'t [Turn] {
        turns.get(self.start(turns)..from).unwrap_or_default()
    }

    /// What stands for the turns that are out.
    pub(super) fn summary(&self) -> Option<&str> {
        self.summary.as_deref()
    }

    /// Leaves out the turns before `from`; with a summary, that stands for all that is out.
    pub(super) fn grow(&mut self, turns: &[Turn], from: usize, summary: Option<String>) {
        let first = self.start(turns);
        let tokens = self.going(turns, from).iter().map(of_turn).sum();
        let last = from.saturating_sub(1);
        self.gone.push(Gone { first, last, tokens, is_summarised: summary.is_some() });
        self.from = from;
        self.summary = summary.or_else(|| self.summary.take());
    }

    /// The turns that are told: head, a word about what is left out, and what stays.
    pub(super) fn kept(&self, turns: &[Turn]) -> Vec<Turn> {
        let mut kept = self.told(turns.get(..head(turns)).unwrap_or_default());
        kept.extend_from_slice(turns.get(self.start(turns)..).unwrap_or_default());
        kept
    }

    fn start(&self, turns: &[Turn]) -> usize {
        self.from.max(head(turns))
    }

    /// The head with what is said of the turns that are out.
    fn told(&self, head: &[Turn]) -> Vec<Turn> {
        let mut told = head.to_vec();
        match (&self.summary, self.gone.is_empty()) {
            (Some(summary), _) => {
                told.push(Turn::User(format!("Summary of what was said before:\n{summary}")));
            }
            (None, false) => {
                told.push(Turn::User("What was said before is left out here.".to_owned()));
            }
            (None, true) => {}
        }
        told
    }

    /// What is left out, for the decision record.
    pub(super) fn recorded(&self) -> Value {
        let gone = self.gone.iter().map(|gone| {
            let how = if gone.is_summarised { "summarised" } else { "trimmed" };
            json!({"turns": [gone.first, gone.last], "tokens": gone.tokens, "how": how})
        });
        gone.collect()
    }
}

/// Turns before the model's first one.
fn head(turns: &[Turn]) -> usize {
    groups(turns).next().unwrap_or(turns.len())
}

/// Where groups begin.
fn groups(turns: &[Turn]) -> impl Iterator<Item = usize> {
    let turns = turns.iter().enumerate();
    turns.filter(|(_, turn)| matches!(turn, Turn::Model { .. })).map(|(index, _)| index)
}

/// What is said in these turns, as one text for whoever sums it up.
pub(super) fn transcript(turns: &[Turn]) -> String {
    let line = |turn: &Turn| match turn {
        Turn::User(text) => format!("[user] {text}\n"),
        Turn::Model { text, calls, thoughts: _ } => {
            let calls =
                calls.iter().map(|call| format!("[call {}] {}\n", call.tool, call.arguments));
            format!("[model] {text}\n{}", calls.collect::<String>())
        }
        Turn::Tool { name, result, is_error, .. } => {
            let kind = if *is_error { "error" } else { "result" };
            format!("[{kind} of {name}] {result}\n")
        }
    };
    turns.iter().map(line).collect()
}

/// The start of a text that is so many tokens at most.
pub(super) fn within(mut text: String, tokens_max: u64) -> String {
    while of_text(&text) > tokens_max {
        // A tenth at a time; a single character goes at once.
        text.truncate(text.floor_char_boundary(text.len() * 9 / 10));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ToolCall;

    fn conversation(rounds: usize) -> Vec<Turn> {
        let text = |text: String| text.repeat(30);
        let mut turns = vec![Turn::User(text("input ".to_owned()))];
        for round in 0..rounds {
            let call = ToolCall { id: "1".to_owned(), tool: "t".to_owned(), arguments: json!({}) };
            let (said, calls) = (text(format!("m{round} ")), vec![call]);
            turns.push(Turn::Model { text: said, calls, thoughts: None });
            turns.push(Turn::Tool {
                call: "1".to_owned(),
                name: "t".to_owned(),
                result: text(format!("r{round} ")),
                is_error: false,
            });
        }
        turns
    }

    fn total(turns: &[Turn]) -> u64 {
        turns.iter().map(of_turn).sum()
    }

    #[test]
    fn the_oldest_rounds_go_first_and_stay_out() {
        let (mut cut, turns) = (Cut::default(), conversation(4));
        let all = total(&turns);
        assert_eq!(cut.wanted(&turns, all), Ok(0), "all of it fits");
        assert_eq!(cut.kept(&turns), turns);

        let from = cut.wanted(&turns, all - 1).unwrap();
        assert_eq!(from, 3, "a round goes as a whole");
        assert!(cut.grows_to(from));
        cut.grow(&turns, from, None);
        let kept = cut.kept(&turns);
        assert_eq!((&kept[0], &kept[2..]), (&turns[0], &turns[3..]));
        assert_eq!(cut.recorded()[0]["turns"], json!([1, 2]));

        let more = conversation(5);
        let from = cut.wanted(&more, total(&kept) + 10).unwrap();
        cut.grow(&more, from, Some("they met".to_owned()));
        assert_eq!(cut.recorded()[1]["how"], "summarised");
        let Turn::User(told) = &cut.kept(&more)[1] else { panic!("{cut:?}") };
        assert!(told.ends_with("they met"));
    }

    #[test]
    fn a_text_is_cut_to_its_tokens() {
        assert_eq!(within("a b c".to_owned(), 99), "a b c");
        let cut = within("ßé 🙂 ".repeat(200), 50);
        assert!(of_text(&cut) <= 50 && of_text(&cut) > 35, "{cut}");
        assert_eq!(within("🙂".to_owned(), 1), "");
    }

    #[test]
    fn the_head_and_the_last_round_always_stay() {
        let (cut, turns) = (Cut::default(), conversation(3));
        let least = total(&[&turns[..1], &turns[5..]].concat());
        assert_eq!(cut.wanted(&turns, least), Ok(5));
        assert_eq!(cut.wanted(&turns, least - 1), Err(TooLong { tokens: least }));
        let alone = conversation(0);
        assert_eq!(cut.wanted(&alone, total(&alone)), Ok(0));
        assert!(cut.wanted(&alone, total(&alone) - 1).is_err());
    }
}
