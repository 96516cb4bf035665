//! The routes of `/v1`, and their description: both come from the same handlers.

use axum::{
    Router,
    http::{HeaderValue, header},
    response::IntoResponse as _,
    routing::get,
};
use utoipa::{
    OpenApi,
    openapi::{
        ContentBuilder, Ref, RefOr, ResponseBuilder,
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Problem, actions, approvals, audit, bulk, events, fleet, goals, health, letters, packs, peek,
    state::AppState, sums, tasks, webhooks,
};

/// Where the description is.
const PLACE: &str = "/v1/openapi.json";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cadre",
        version = "1",
        description = "Publishes goals, follows and steers their tasks, decides what they ask, and shows how \
            the fleet is. Points in time are milliseconds since 1970 on the broker's clock (`…_at_ms`, `…_ms`), \
            money is millionths of a US dollar (`…_micros`). Errors are problem documents (RFC 9457)."
    ),
    components(schemas(Problem)),
    tags(
        (name = "goals", description = "Ask for something to be done"),
        (name = "tasks", description = "See and steer what became of goals"),
        (name = "approvals", description = "Decide what tasks ask people"),
        (name = "webhooks", description = "Be told of the ends of tasks"),
        (name = "fleet", description = "How the fleet is"),
        (name = "packs", description = "What can be asked for"),
        (name = "health", description = "For those who watch processes")
    )
)]
struct Description;

/// Every route of the API, and its description.
pub(super) fn routes() -> (Router<AppState>, utoipa::openapi::OpenApi) {
    let (router, mut api) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(goals::publish))
        .routes(routes!(tasks::list))
        .routes(routes!(bulk::act))
        .routes(routes!(tasks::show))
        .routes(routes!(tasks::steps))
        .routes(routes!(tasks::why))
        .routes(routes!(tasks::result))
        .routes(routes!(events::events))
        .routes(routes!(actions::cancel))
        .routes(routes!(actions::kill))
        .routes(routes!(actions::pause))
        .routes(routes!(actions::resume))
        .routes(routes!(actions::retry))
        .routes(routes!(actions::budget))
        .routes(routes!(actions::fork))
        .routes(routes!(sums::questions))
        .routes(routes!(approvals::show, approvals::decide))
        .routes(routes!(letters::list))
        .routes(routes!(letters::show, letters::discard))
        .routes(routes!(letters::replay))
        .routes(routes!(fleet::breakers))
        .routes(routes!(fleet::hold))
        .routes(routes!(fleet::streams))
        .routes(routes!(peek::messages))
        .routes(routes!(fleet::members))
        .routes(routes!(fleet::alerts))
        .routes(routes!(audit::list))
        .routes(routes!(sums::roles))
        .routes(routes!(sums::spend))
        .routes(routes!(sums::overview))
        .routes(routes!(packs::list))
        .routes(routes!(packs::show))
        .routes(routes!(webhooks::list, webhooks::add))
        .routes(routes!(webhooks::show, webhooks::remove))
        .routes(routes!(webhooks::test))
        .routes(routes!(webhooks::rotate))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(health::figures))
        .split_for_parts();
    complete(&mut api);
    // Texts and numbers always become JSON.
    let text = api.to_json().unwrap_or_default();
    let kind = HeaderValue::from_static("application/json");
    let describe = move || {
        let answer = ([(header::CONTENT_TYPE, kind.clone())], text.clone());
        std::future::ready(answer.into_response())
    };
    (router.route(PLACE, get(describe)), api)
}

/// What holds for every operation: any problem is a problem document, and most want a credential.
fn complete(api: &mut utoipa::openapi::OpenApi) {
    let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    if let Some(components) = &mut api.components {
        components.add_security_scheme("bearer", scheme);
    }
    let bearer: [&str; 0] = [];
    api.security = Some(vec![SecurityRequirement::new("bearer", bearer)]);
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let problem = ResponseBuilder::new()
        .description("Why the request was not fulfilled.")
        .content("application/problem+json", content)
        .build();
    for item in api.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.delete]
            .into_iter()
            .filter_map(Option::as_mut);
        for operation in operations {
            let responses = &mut operation.responses.responses;
            responses.insert("default".to_owned(), RefOr::T(problem.clone()));
        }
    }
}
