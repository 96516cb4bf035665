//! Declares steps in tests: every option has a default that does not matter.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{TIMEOUT_MS, name, scope};
use crate::{
    contract::Contract,
    expr::{Expr, Shape, Template},
    ids::Name,
    workflow::{
        Approval, AskTerms, Crew, Doer, Each, Effects, Grant, Join, LoopTerms, Otherwise, Pattern,
        Race, Retry, Role, Runtime, StepPlan,
    },
};

/// Every role of these steps, by name.
pub(super) fn roles(steps: &[Step]) -> BTreeMap<Name, Arc<Role>> {
    steps.iter().flat_map(Step::roles).map(|role| (role.name.clone(), role)).collect()
}

/// A declared step in the making.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(super) name: String,
    after: Vec<String>,
    join: &'static str,
    score: Option<String>,
    take: Option<String>,
    undo: bool,
    when: Option<String>,
    with: Value,
    over: Option<String>,
    parallel: u32,
    keep_permille: u16,
    accept_if: Option<String>,
    otherwise: Otherwise,
    optional: bool,
    accepts: Value,
    returns: Value,
    retry: Retry,
    grant: Grant,
    effects: Effects,
    fallback: Option<String>,
    approval: Option<String>,
    ask: AskTerms,
    crew: Option<(Pattern, Vec<String>, u32)>,
}

/// A step that takes and returns any object.
pub(crate) fn step(name: &str) -> Step {
    Step {
        name: name.to_owned(),
        after: Vec::new(),
        join: "all",
        score: None,
        take: None,
        undo: false,
        when: None,
        with: json!({"from": "${ goal }"}),
        over: None,
        parallel: 2,
        keep_permille: 1000,
        accept_if: None,
        otherwise: Otherwise::Fail,
        optional: false,
        accepts: json!({"type": "object"}),
        returns: json!({"type": "object"}),
        retry: Retry::default(),
        grant: Grant::default(),
        effects: Effects::Repeatable,
        fallback: None,
        approval: None,
        ask: AskTerms::default(),
        crew: None,
    }
}

impl Step {
    pub(crate) fn after(mut self, names: &[&str]) -> Self {
        self.after = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    pub(crate) fn settled(mut self) -> Self {
        self.join = "settled";
        self
    }

    /// So many of its predecessors are enough.
    pub(crate) fn quorum(mut self, wanted: u32) -> Self {
        (self.join, self.score) = ("quorum", Some(wanted.to_string()));
        self
    }

    /// The best of its predecessors.
    pub(crate) fn best(mut self, score: &str) -> Self {
        (self.join, self.score) = ("best", Some(score.to_owned()));
        self
    }

    /// So many items are enough, or the best one by this score.
    pub(crate) fn take(mut self, what: &str) -> Self {
        self.take = Some(what.to_owned());
        self
    }

    /// Once completed it can be undone: `{"undo": <its output>}` goes to `<name>_undo`.
    pub(crate) fn undone(mut self) -> Self {
        self.undo = true;
        self
    }

    pub(crate) fn when(mut self, source: &str) -> Self {
        self.when = Some(source.to_owned());
        self
    }

    pub(crate) fn with(mut self, template: Value) -> Self {
        self.with = template;
        self
    }

    /// A fan-out whose items are in the variable `item`.
    pub(crate) fn each(mut self, over: &str) -> Self {
        self.over = Some(over.to_owned());
        self.with = json!({"item": "${ item }"});
        self
    }

    pub(crate) fn parallel(mut self, count: u32) -> Self {
        self.parallel = count;
        self
    }

    pub(crate) fn keep(mut self, permille: u16) -> Self {
        self.keep_permille = permille;
        self
    }

    pub(crate) fn accept_if(mut self, source: &str, otherwise: Otherwise) -> Self {
        self.accept_if = Some(source.to_owned());
        self.otherwise(otherwise)
    }

    pub(crate) fn otherwise(mut self, otherwise: Otherwise) -> Self {
        self.otherwise = otherwise;
        self
    }

    pub(crate) fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    pub(crate) fn accepts(mut self, schema: Value) -> Self {
        self.accepts = schema;
        self
    }

    pub(crate) fn returns(mut self, schema: Value) -> Self {
        self.returns = schema;
        self
    }

    pub(crate) fn retry(mut self, attempts_max: u32) -> Self {
        let (backoff, backoff_max) = (Duration::from_millis(100), Duration::from_secs(1));
        self.retry = Retry { attempts_max, backoff, backoff_max };
        self
    }

    pub(crate) fn grant(mut self, usd_micros: u64, tokens: u64) -> Self {
        self.grant = Grant { usd_micros, tokens };
        self
    }

    /// What it does must not happen twice.
    pub(crate) fn once(mut self) -> Self {
        self.effects = Effects::Once;
        self
    }

    pub(crate) fn fallback(mut self, role: &str) -> Self {
        self.fallback = Some(role.to_owned());
        self
    }

    /// A person does it: sees `with`, is asked this.
    pub(crate) fn approval(mut self, question: &str) -> Self {
        self.approval = Some(question.to_owned());
        self
    }

    pub(crate) fn ask(mut self, ask: AskTerms) -> Self {
        self.ask = ask;
        self
    }

    /// Without a fan-out.
    pub(crate) fn each_less(mut self) -> Self {
        self.over = None;
        self
    }

    /// Several roles do it; the first one leads, and of a network is a member.
    pub(crate) fn crew(mut self, pattern: Pattern, roles: &[&str], turns_max: u32) -> Self {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        self.crew = Some((pattern, roles, turns_max));
        self
    }

    fn team(&self) -> Option<Crew> {
        let (pattern, names, turns_max) = self.crew.as_ref()?;
        let mut team: Vec<_> = names.iter().map(|name| self.role(name)).collect();
        let lead = match pattern {
            Pattern::Network => Arc::clone(team.first()?),
            Pattern::Supervisor | Pattern::Planner => team.remove(0),
        };
        let (loops, returns) = (LoopTerms::default(), None);
        Some(Crew { pattern: *pattern, lead, team, turns_max: *turns_max, loops, returns })
    }

    fn role(&self, named: &str) -> Arc<Role> {
        let contract = |schema: &Value| Arc::new(Contract::compile("any", 1, schema).unwrap());
        Arc::new(Role {
            name: name(named),
            runtime: Runtime::Remote,
            accepts: contract(&self.accepts),
            returns: contract(&self.returns),
            timeout: Duration::from_millis(TIMEOUT_MS),
            concurrency: 1,
            grant: self.grant,
            effects: self.effects,
            retry: self.retry,
            script: Vec::new(),
            model: None,
        })
    }

    fn undo_role(&self) -> Arc<Role> {
        let like = step("undo").retry(2);
        like.role(&format!("{}_undo", self.name))
    }

    /// What undoes it.
    pub(super) fn build_undo(&self, names: &[&str]) -> Option<StepPlan> {
        let with = json!({"undo": format!("${{ {} }}", self.name)});
        let with = Template::compile(&with, &scope(names)).unwrap();
        self.undo.then(|| StepPlan {
            name: name(&format!("compensate_{}", self.name)),
            timeout: Duration::from_millis(TIMEOUT_MS),
            doer: Doer::Role { role: self.undo_role(), fallback: None },
            ask: AskTerms::default(),
            after: vec![name(&self.name)],
            join: Join::All,
            when: None,
            with,
            each: None,
            accept_if: None,
            otherwise: Otherwise::Fail,
            optional: true,
        })
    }

    /// The roles that it needs.
    pub(super) fn roles(&self) -> impl Iterator<Item = Arc<Role>> {
        let own = self.role(&format!("{}_role", self.name));
        let undo = self.undo.then(|| self.undo_role());
        if let Some(crew) = self.team() {
            return crew.roles().cloned().chain(undo).collect::<Vec<_>>().into_iter();
        }
        let spare = self.fallback.as_ref().map(|spare| self.role(spare));
        let roles = [Some(own), spare, undo].into_iter().flatten();
        roles.filter(|_| self.approval.is_none()).collect::<Vec<_>>().into_iter()
    }

    pub(super) fn build(&self, names: &[&str]) -> StepPlan {
        let scope = scope(names).with("item", Shape::Any).with("report", Shape::Any);
        let expr = |source: &String| Expr::compile(source, &scope).unwrap();
        let scoring = ["output", "confidence", "step"]
            .iter()
            .fold(scope.clone(), |scope, name| scope.with(name, Shape::Any));
        let race = |text: &str| match text.parse() {
            Ok(wanted) => Race::Quorum(wanted),
            Err(_) => Race::Best(Expr::compile(text, &scoring).unwrap()),
        };
        StepPlan {
            name: name(&self.name),
            timeout: Duration::from_millis(TIMEOUT_MS),
            doer: match (&self.approval, self.team()) {
                (_, Some(crew)) => Doer::Crew(crew),
                (Some(question), None) => Doer::Person(Approval {
                    question: Template::compile(&json!(question), &scope).unwrap(),
                    terms: self.ask,
                }),
                (None, None) => Doer::Role {
                    role: self.role(&format!("{}_role", self.name)),
                    fallback: self.fallback.as_ref().map(|spare| self.role(spare)),
                },
            },
            ask: self.ask,
            after: self.after.iter().map(|text| name(text)).collect(),
            join: match (self.join, &self.score) {
                (_, Some(score)) => Join::Race(race(score)),
                ("settled", None) => Join::Settled,
                _ => Join::All,
            },
            when: self.when.as_ref().map(expr),
            with: Template::compile(&self.with, &scope).unwrap(),
            each: self.over.as_ref().map(|over| Each {
                over: expr(over),
                item: name("item"),
                parallel: self.parallel,
                keep_partial_permille: self.keep_permille,
                take: self.take.as_deref().map(race),
            }),
            accept_if: self.accept_if.as_ref().map(expr),
            otherwise: self.otherwise,
            optional: self.optional,
        }
    }
}
