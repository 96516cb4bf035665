//! Compiles what a pack calls a model, and the roles that ask models.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    PackSource,
    compile::Compiler,
    document::{Position, escaped},
    grammar::{AliasDecl, LoopDecl, RoleDecl, RouteDecl, WhenFullDecl},
    problems::pointer,
    steps::all_or_none,
    units::decimal,
};
use crate::{
    contract::Contract,
    expr::{Shape, suggestion},
    ids::Name,
    limits::MODEL_NAME_BYTES_MAX,
    model::{TOOLS_BUILT_IN, cassette::Cassettes, template::Template},
    workflow::{ModelAlias, ModelRole, Route, Runtime, WhenFull},
};

/// The tool that searches documents.
const LOOKUP: &str = "lookup";

/// What a role can name: the pack's files and models.
#[derive(Clone, Copy)]
pub(super) struct Shelf<'a> {
    pub(super) source: &'a PackSource,
    pub(super) models: &'a BTreeMap<Name, ModelAlias>,
    /// Those that did not compile included.
    pub(super) declared: &'a BTreeMap<String, AliasDecl>,
}

impl Compiler<'_, '_> {
    /// Reads every cassette; the first line of each that is none is reported.
    pub(super) fn cassettes(&mut self, source: &PackSource) -> Cassettes {
        let mut cassettes = Cassettes::default();
        let paths = source.files.keys().filter(|path| path.starts_with("cassettes/"));
        for path in paths {
            let added = match source.text(path) {
                Some(Ok(text)) => cassettes.add(text),
                Some(Err(_)) | None => continue,
            };
            if let Err(error) = added {
                let position = Position { line: error.line, column: 1 };
                let message = format!("is no cassette: {error}");
                self.problems.in_file(path, Some(position), message);
            }
        }
        cassettes
    }

    /// Compiles what the pack calls a model; what is wrong is left out.
    pub(super) fn models(
        &mut self,
        declared: &BTreeMap<String, AliasDecl>,
    ) -> BTreeMap<Name, ModelAlias> {
        let mut models = BTreeMap::new();
        for (name, alias) in declared {
            let at = pointer(&["models", name]);
            let routes = alias.routes.iter().enumerate();
            let routes: Vec<_> = routes
                .map(|(index, route)| self.route(route, &format!("{at}/routes/{index}")))
                .collect();
            let routes: Option<Vec<Route>> = routes.into_iter().collect();
            self.check_hedge(alias, &at);
            let (Some(name), Some(routes)) = (self.name(name, &at), routes) else { continue };
            let (cache_answers, is_free) = (alias.cache_answers, alias.free);
            models.insert(name, ModelAlias { routes, cache_answers, is_free });
        }
        models
    }

    /// Reports a last route that nobody could be asked beside.
    fn check_hedge(&mut self, alias: &AliasDecl, at: &str) {
        let last = alias.routes.len().saturating_sub(1);
        if alias.routes.last().is_some_and(|route| route.hedge_after.is_some()) {
            let message =
                "is for routes that have another one behind them: nobody else can be asked";
            self.problems.at_key(&format!("{at}/routes/{last}/hedge_after"), message);
        }
    }

    fn route(&mut self, declared: &RouteDecl, at: &str) -> Option<Route> {
        let usd_at = format!("{at}/usd_left_min");
        let usd = declared.usd_left_min.as_ref().map(|usd| self.usd(usd, &usd_at));
        let hedge_at = format!("{at}/hedge_after");
        let hedge_after =
            declared.hedge_after.as_ref().map(|after| self.duration(after, &hedge_at));
        let classes = declared.classes.iter().enumerate();
        let classes: Option<Vec<Name>> = classes
            .map(|(index, name)| self.name(name, &format!("{at}/classes/{index}")))
            .collect();
        let is_plain = |text: &str| {
            (1..=MODEL_NAME_BYTES_MAX).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let named = declared.model.split_once('/').filter(|(provider, model)| {
            Name::new(provider).is_ok() && is_plain(model) && !model.starts_with('/')
        });
        let Some((provider, model)) = named else {
            let message = "is no model: write provider/model with its version, such as \
                           `anthropic/claude-haiku-4-5-20251001`";
            self.problems.at(&format!("{at}/model"), message);
            return None;
        };
        Some(Route {
            classes: classes?,
            context_max: declared.context_max,
            usd_left_min_micros: all_or_none(usd)?,
            hedge_after: all_or_none(hedge_after)?,
            ..Route::new(provider, model)
        })
    }

    /// What a role of the runtime `model` does; `Some(None)` for a role of another runtime.
    pub(super) fn model_role(
        &mut self,
        (role, at): (&RoleDecl, &str),
        accepts: Option<&Contract>,
        shelf: Shelf<'_>,
    ) -> Option<Option<Arc<ModelRole>>> {
        if Runtime::from(role.runtime) != Runtime::Model {
            return self.refuse_model_keys(role, at).then_some(None);
        }
        let alias = self.needed(role.model.as_deref(), &format!("{at}/model"));
        let alias = alias.and_then(|name| self.alias(name, shelf, &format!("{at}/model")));
        let low = role.model_when_low.as_deref();
        let low = low.map(|name| self.alias(name, shelf, &format!("{at}/model_when_low")));
        let class = role.class.as_deref().map(|class| self.name(class, &format!("{at}/class")));
        self.check_class((role, at), class.as_ref().and_then(Option::as_ref), shelf);
        let prompt = self.needed(role.prompt.as_deref(), &format!("{at}/prompt"));
        let shape = accepts.map(|accepts| Shape::of_schema(accepts.schema()));
        let prompt = prompt.and_then(|path| self.prompt(path, shape, (shelf.source, at)));
        let tools = self.tools(role, at);
        let documents = self.documents(role, shelf.source, at);
        let default = LoopDecl::default();
        let declared = role.bounds.as_ref().unwrap_or(&default);
        let bounds = self.bounds(declared, shelf, &format!("{at}/loop"));
        self.check_means(role, shelf, at);
        let (temperature_millis, when_full) = bounds?;
        Some(Some(Arc::new(ModelRole {
            alias: alias?,
            class: all_or_none(class)?,
            alias_when_low: all_or_none(low)?,
            prompt: prompt?,
            tools: tools?,
            documents: documents?,
            calls_max: declared.max_calls,
            output_tokens_max: declared.max_output_tokens,
            temperature_millis,
            context_tokens_max: declared.context_tokens,
            when_full,
            confidence_min: role.confidence_min,
        })))
    }

    /// Reports models of a role that have no route for its kind of work.
    fn check_class(
        &mut self,
        (role, at): (&RoleDecl, &str),
        class: Option<&Name>,
        shelf: Shelf<'_>,
    ) {
        let with = role.bounds.as_ref().and_then(|bounds| bounds.summarise_with.as_deref());
        let asked = [
            (role.model.as_deref(), "model"),
            (role.model_when_low.as_deref(), "model_when_low"),
            (with, "loop/summarise_with"),
        ];
        for (name, key) in asked {
            let alias = shelf.models.iter().find(|(known, _)| Some(known.as_str()) == name);
            let is_for = |alias: &ModelAlias| alias.routes.iter().any(|route| route.is_for(class));
            if let Some((name, _)) = alias.filter(|(_, alias)| !is_for(alias)) {
                let class = class.map_or("a role without a class", Name::as_str);
                let message = format!("model {name} has no route for {class}: see their `classes`");
                self.problems.at(&format!("{at}/{key}"), message);
            }
        }
    }

    /// Reports keys that mean nothing to other runtimes; whether there was none.
    fn refuse_model_keys(&mut self, role: &RoleDecl, at: &str) -> bool {
        let before = self.problems.count();
        for (key, is_written) in [
            ("model", role.model.is_some()),
            ("model_when_low", role.model_when_low.is_some()),
            ("class", role.class.is_some()),
            ("prompt", role.prompt.is_some()),
            ("tools", !role.tools.is_empty()),
            ("documents", !role.documents.is_empty()),
            ("loop", role.bounds.is_some()),
            ("confidence_min", role.confidence_min.is_some()),
        ] {
            if is_written {
                self.problems.at_key(&format!("{at}/{key}"), "is for the runtime `model`");
            }
        }
        self.problems.count() == before
    }

    fn needed<'r>(&mut self, written: Option<&'r str>, at: &str) -> Option<&'r str> {
        if written.is_none() {
            self.problems.at_key(at, "is what the runtime `model` needs: write one");
        }
        written
    }

    fn alias(&mut self, name: &str, shelf: Shelf<'_>, at: &str) -> Option<Name> {
        if !shelf.declared.contains_key(name) {
            let known = suggestion(name, shelf.declared.keys().map(String::as_str));
            self.problems.at(at, format!("unknown model `{name}`{known}"));
        }
        shelf.models.keys().find(|known| known.as_str() == name).cloned()
    }

    /// A file that the pack file names; what is wrong with the name is reported at `at`.
    fn file<'s>(&mut self, path: &str, source: &'s PackSource, at: &str) -> Option<&'s str> {
        let folder = path.split('/').next().unwrap_or_default();
        match source.text(path) {
            Some(Ok(text)) => return Some(text),
            Some(Err(error)) => self.problems.at(at, error.to_string()),
            None => {
                let beside = source.files.keys().map(String::as_str);
                let beside = beside.filter(|other| other.split('/').next() == Some(folder));
                let message = format!("there is no file `{path}`{}", suggestion(path, beside));
                self.problems.at(at, message);
            }
        }
        None
    }

    fn prompt(
        &mut self,
        path: &str,
        shape: Option<Shape>,
        (source, at): (&PackSource, &str),
    ) -> Option<Template> {
        let at = format!("{at}/prompt");
        if !path.starts_with("prompts/") {
            self.problems.at(&at, "is no prompt: they lie in prompts/");
            return None;
        }
        let text = self.file(path, source, &at)?;
        let compiled = Template::compile(text, shape.unwrap_or_default());
        compiled
            .map_err(|errors| {
                for error in errors {
                    let position = Position { line: error.line, column: error.column };
                    self.problems.in_file(path, Some(position), error.message);
                }
            })
            .ok()
    }

    fn tools(&mut self, role: &RoleDecl, at: &str) -> Option<Vec<Name>> {
        let mut tools = Vec::new();
        for (index, tool) in role.tools.iter().enumerate() {
            let at = format!("{at}/tools/{index}");
            if TOOLS_BUILT_IN.contains(&tool.as_str()) {
                tools.extend(self.name(tool, &at));
            } else {
                let known = suggestion(tool, TOOLS_BUILT_IN.into_iter());
                self.problems.at(&at, format!("unknown tool `{tool}`{known}"));
            }
        }
        let searches = role.tools.iter().any(|tool| tool == LOOKUP);
        if searches && role.documents.is_empty() {
            self.problems.at_key(&format!("{at}/tools"), "`lookup` needs `documents` to search");
        }
        if !searches && !role.documents.is_empty() {
            let message = "nobody reads them: add `lookup` to the role's tools";
            self.problems.at_key(&format!("{at}/documents"), message);
        }
        tools.sort();
        tools.dedup();
        (tools.len() <= role.tools.len()).then_some(tools)
    }

    fn documents(
        &mut self,
        role: &RoleDecl,
        source: &PackSource,
        at: &str,
    ) -> Option<Vec<(String, Arc<str>)>> {
        let mut documents = Vec::new();
        for (index, path) in role.documents.iter().enumerate() {
            let at = format!("{at}/documents/{index}");
            if !path.starts_with("documents/") {
                self.problems.at(&at, "is no document: they lie in documents/");
            } else if let Some(text) = self.file(path, source, &at) {
                documents.push((path.clone(), Arc::from(text)));
            }
        }
        (documents.len() == role.documents.len()).then_some(documents)
    }

    /// Temperature and what happens when the context is full.
    fn bounds(
        &mut self,
        declared: &LoopDecl,
        shelf: Shelf<'_>,
        at: &str,
    ) -> Option<(Option<u16>, WhenFull)> {
        let temperature = declared.temperature.as_ref().map(|value| {
            let millis = decimal(value, 3).and_then(|millis| u16::try_from(millis).ok());
            if millis.is_none() {
                let message = "is no temperature: write 0 to 2 with at most 3 decimals";
                self.problems.at(&format!("{at}/temperature"), message);
            }
            millis
        });
        let with_at = format!("{at}/summarise_with");
        let when_full = match (declared.when_full, declared.summarise_with.as_deref()) {
            (WhenFullDecl::Trim, None) => Some(WhenFull::Trim),
            (WhenFullDecl::Fail, None) => Some(WhenFull::Fail),
            (WhenFullDecl::Summarise, Some(name)) => {
                self.alias(name, shelf, &with_at).map(|alias| WhenFull::Summarise { alias })
            }
            (WhenFullDecl::Summarise, None) => {
                let message = "needs `summarise_with`: a name of `models`";
                self.problems.at(&format!("{at}/when_full"), message);
                None
            }
            (WhenFullDecl::Trim | WhenFullDecl::Fail, Some(_)) => {
                self.problems.at_key(&with_at, "is for `when_full: summarise`");
                None
            }
        };
        Some((all_or_none(temperature)?, when_full?))
    }

    /// Reports a role that could not pay for a single call.
    fn check_means(&mut self, role: &RoleDecl, shelf: Shelf<'_>, at: &str) {
        let at = format!("{at}/limits");
        if role.limits.max_tokens == 0 {
            let message = "lacks `max_tokens`: without tokens no model can be asked";
            self.problems.at_key(&at, message);
        }
        let is_free = role.model.as_ref().and_then(|name| shelf.declared.get(name));
        let is_free = is_free.is_none_or(|alias| alias.free);
        if role.limits.max_usd.is_none() && !is_free {
            let message = "lacks `max_usd`: without money only a model that is `free` can be asked";
            self.problems.at_key(&at, message);
        }
    }

    /// Reports models that no role asks.
    pub(super) fn report_unused_models(
        &mut self,
        declared: &BTreeMap<String, AliasDecl>,
        roles: &BTreeMap<String, RoleDecl>,
    ) {
        for name in declared.keys() {
            let asks = |role: &RoleDecl| {
                let with = role.bounds.as_ref().and_then(|bounds| bounds.summarise_with.as_ref());
                [role.model.as_ref(), role.model_when_low.as_ref(), with].contains(&Some(name))
            };
            if !roles.values().any(asks) {
                let at = format!("/models/{}", escaped(name));
                self.problems.at_key(&at, "no role asks this model");
            }
        }
    }
}
