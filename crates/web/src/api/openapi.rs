//! The OpenAPI document, generated from the handlers. A test holds it against the table of routes.

use axum::Json;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::{
    calls, evidence, imports, incidents, ledger, me, orders, people, providers, regions, signals, silences,
    statements, visits,
};

#[derive(OpenApi)]
#[openapi(
    info(title = "Xiyang", description = "一座城市的养老服务平台。每个请求带 Authorization: Bearer 令牌。"),
    paths(
        me::show,
        calls::create, calls::index, calls::show, calls::answer, calls::takeover, calls::ending,
        orders::index, orders::create, orders::show, orders::candidates, orders::assignment, orders::acceptance,
        orders::check_in, orders::check_out, orders::empty_visit, orders::interruption, orders::confirmation, orders::rating, orders::settlement, orders::own_share,
        orders::cancellation,
        ledger::accounts, ledger::account, ledger::transfers,
        providers::index, providers::show, providers::carers, providers::carer, providers::services,
        providers::service, providers::entitlements,
        statements::index, statements::create, statements::show, statements::check, statements::payment,
        incidents::index, incidents::create, incidents::figures, incidents::missed, incidents::show,
        incidents::acknowledgement, incidents::hold, incidents::draft, incidents::note, incidents::escalation,
        incidents::contact_result, incidents::level, incidents::identification, incidents::handover,
        incidents::takeover, incidents::closure, incidents::review, incidents::reopening,
        statements::send_back,
        evidence::index,
        people::index, people::create, people::show, people::update, people::disclose, people::facts, people::state_fact,
        regions::index, regions::show,
        silences::contacts, silences::index, visits::visit_duties, visits::visit,
        visits::leaves, visits::take_leave, visits::rates, visits::call_out,
        signals::create, signals::observation, signals::status,
        imports::create, imports::index, imports::show, imports::acceptance, imports::cancellation, imports::errors,
    ),
    modifiers(&Bearer),
    security(("token" = []))
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        document.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

/// The document.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// `GET /api/openapi.json`
pub async fn show() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn the_document_and_the_routes_tell_the_same() {
        let document = serde_json::to_value(super::document()).unwrap();
        let told: BTreeSet<(String, String)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| {
                methods.as_object().unwrap().keys().map(move |m| (m.to_uppercase(), path.clone()))
            })
            .collect();
        let there: BTreeSet<(String, String)> = crate::table()
            .iter()
            .filter(|r| r.path.starts_with("/api/v1/"))
            .map(|r| (r.method.to_owned(), r.path.to_owned()))
            .collect();
        assert_eq!(told, there);
    }
}
