//! Reads subjects back; total over any text.

use std::str::{FromStr, Split};

use cadre_core::ids::{Name, NameError, Partition, StepId, StepIdError, TaskId, TaskIdError};

use super::{Attempt, BYTES_MAX, Intake, REJECTED, Subject, dead_source};

/// A text that is no subject of Cadre's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("subject {subject:?}: {problem}")]
pub struct SubjectError {
    /// The subject; at most 120 characters of it.
    pub subject: String,
    /// What is wrong.
    pub problem: SubjectProblem,
}

/// What is wrong with a subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubjectProblem {
    /// Longer than [`BYTES_MAX`].
    #[error("it is longer than {BYTES_MAX} bytes")]
    TooLong,
    /// No subject of Cadre's begins so, or goes on so.
    #[error("no subject has this form")]
    Unknown,
    /// Fewer tokens than the form has.
    #[error("the token for {0} is missing")]
    Missing(&'static str),
    /// More tokens than the form has.
    #[error("there are tokens behind its end")]
    TooMany,
    /// Not the number of a partition.
    #[error("the partition is not a number below 1024")]
    Partition,
    /// Not the number of an attempt.
    #[error("the attempt is not a number from 1")]
    Attempt,
    /// Not a name.
    #[error("the {0} is invalid: {1}")]
    Name(&'static str, NameError),
    /// Not a task id.
    #[error("{0}")]
    Task(TaskIdError),
    /// Not a step.
    #[error("{0}")]
    Step(StepIdError),
}

impl Subject {
    /// Reads a subject.
    ///
    /// # Errors
    /// [`SubjectError`] when it is none of ours.
    pub fn parse(subject: &str) -> Result<Self, SubjectError> {
        parse(subject).map_err(|problem| SubjectError {
            subject: subject.chars().take(120).collect(),
            problem,
        })
    }
}

fn parse(subject: &str) -> Result<Subject, SubjectProblem> {
    if subject.len() > BYTES_MAX {
        return Err(SubjectProblem::TooLong);
    }
    let mut tokens = Tokens(subject.split('.'));
    let parsed = match tokens.next("the prefix")? {
        "cadre" => {
            let partition = partition(tokens.next("the partition")?)?;
            match tokens.next("the kind")? {
                "dead" => return dead(subject, partition, &mut tokens),
                kind => owned(partition, kind, &mut tokens)?,
            }
        }
        "goals" => match tokens.next("the tenant")? {
            REJECTED => Subject::Rejected(tokens.name("tenant")?),
            tenant => {
                let tenant = name("tenant", tenant)?;
                let intake = Intake::new(tenant, tokens.name("workflow")?);
                Subject::Goals(intake.map_err(|_| SubjectProblem::Unknown)?)
            }
        },
        "answers" => Subject::Answer {
            tenant: tokens.name("tenant")?,
            workflow: tokens.name("workflow")?,
            task: tokens.task()?,
        },
        _ => return Err(SubjectProblem::Unknown),
    };
    tokens.end(parsed)
}

fn owned(
    partition: Partition,
    kind: &str,
    tokens: &mut Tokens<'_>,
) -> Result<Subject, SubjectProblem> {
    Ok(match kind {
        "log" => Subject::Log(partition, tokens.task()?),
        "timer" => Subject::Timer(partition, tokens.woken_task()?),
        "due" => Subject::Due(partition, tokens.woken_task()?),
        "stop" => Subject::Stop(partition, tokens.task()?),
        "work" => Subject::Work(partition, tokens.attempt()?),
        "run" => Subject::Run {
            partition,
            role: tokens.name("role")?,
            task: tokens.task()?,
            step: tokens.step()?,
        },
        "in" => input(partition, tokens.next("the kind of input")?, tokens)?,
        _ => return Err(SubjectProblem::Unknown),
    })
}

fn input(
    partition: Partition,
    kind: &str,
    tokens: &mut Tokens<'_>,
) -> Result<Subject, SubjectProblem> {
    Ok(match kind {
        "goal" => {
            let (tenant, task) = (tokens.name("tenant")?, tokens.task()?);
            Subject::InGoal { partition, tenant, task }
        }
        "report" => Subject::InReport(partition, tokens.attempt()?),
        "cancel" => {
            let (source, task) = (tokens.name("source")?, tokens.task()?);
            Subject::InCancel { partition, source, task }
        }
        "control" => {
            let (source, task) = (tokens.name("source")?, tokens.task()?);
            Subject::InControl { partition, source, task }
        }
        "decision" => {
            let (source, task) = (tokens.name("source")?, tokens.task()?);
            Subject::InDecision { partition, source, task }
        }
        "timer" => match tokens.next("the timer")? {
            "wake" => Subject::InTimer(partition, tokens.task()?),
            _ => return Err(SubjectProblem::Unknown),
        },
        _ => return Err(SubjectProblem::Unknown),
    })
}

fn dead(
    subject: &str,
    partition: Partition,
    tokens: &mut Tokens<'_>,
) -> Result<Subject, SubjectProblem> {
    let kind = tokens.name("kind")?;
    // The rest is free, but must be what `super::dead` makes of it.
    let source = subject.splitn(5, '.').nth(4).ok_or(SubjectProblem::Missing("the source"))?;
    if dead_source(source) != source {
        return Err(SubjectProblem::Unknown);
    }
    Ok(Subject::Dead { partition, kind, source: source.to_owned() })
}

struct Tokens<'a>(Split<'a, char>);

impl<'a> Tokens<'a> {
    fn next(&mut self, what: &'static str) -> Result<&'a str, SubjectProblem> {
        self.0.next().ok_or(SubjectProblem::Missing(what))
    }

    fn name(&mut self, what: &'static str) -> Result<Name, SubjectProblem> {
        name(what, self.next(what)?)
    }

    fn task(&mut self) -> Result<TaskId, SubjectProblem> {
        TaskId::parse(self.next("the task")?).map_err(SubjectProblem::Task)
    }

    fn step(&mut self) -> Result<StepId, SubjectProblem> {
        StepId::parse(self.next("the step")?).map_err(SubjectProblem::Step)
    }

    fn woken_task(&mut self) -> Result<TaskId, SubjectProblem> {
        let task = self.task()?;
        match self.next("the timer")? {
            "wake" => Ok(task),
            _ => Err(SubjectProblem::Unknown),
        }
    }

    fn attempt(&mut self) -> Result<Attempt, SubjectProblem> {
        let (role, task, step) = (self.name("role")?, self.task()?, self.step()?);
        let number = number(self.next("the attempt")?).filter(|number| *number > 0);
        Ok(Attempt { role, task, step, number: number.ok_or(SubjectProblem::Attempt)? })
    }

    fn end(&mut self, subject: Subject) -> Result<Subject, SubjectProblem> {
        self.0.next().map_or(Ok(subject), |_| Err(SubjectProblem::TooMany))
    }
}

fn name(what: &'static str, token: &str) -> Result<Name, SubjectProblem> {
    Name::from_str(token).map_err(|error| SubjectProblem::Name(what, error))
}

fn partition(token: &str) -> Result<Partition, SubjectProblem> {
    let number = number(token).and_then(|number| u16::try_from(number).ok());
    number.filter(|number| *number < 1024).map(Partition).ok_or(SubjectProblem::Partition)
}

/// A decimal number as we print it: one subject has one spelling.
fn number(token: &str) -> Option<u32> {
    let is_canonical = token == "0" || !token.starts_with('0');
    let is_digits = token.bytes().all(|byte| byte.is_ascii_digit());
    token.parse().ok().filter(|_| is_canonical && is_digits)
}
