//! Tests of the task machine: tables, scenarios, random walks.

mod attempts;
mod budget;
mod control;
mod crews;
mod fan_out;
mod forks;
mod graph;
mod judge;
mod kit;
mod limits;
mod people;
mod races;
mod saga;
mod table;
mod walks;
mod why;

use serde_json::{Value, json};

use self::kit::{Flow, Run, report, step};
use super::*;
use crate::time::UnixMillis;
