//! The OpenAPI document, generated from the handlers. A test holds it against the table of routes.

use std::{collections::HashMap, sync::LazyLock};

use app::{ledger::statements::State as Standing, orders::calls::Outcome};
use axum::Json;
use domain::{
    orders::{CancelReason, OrderState},
    parties::{ImportState, PersonState},
    signals::{
        incident::{IncidentKind, IncidentOutcome, IncidentState, Level},
        rounds::DutyKind,
        silence::RiskGrade,
    },
};
use serde_json::Value;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        ContentBuilder, Object, PathItem, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
        path::{Operation, ParameterBuilder, ParameterIn},
        schema::{SchemaType, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{
    calls, evidence, imports, incidents, ledger, me, orders, people, providers, reaches, regions, signals,
    silences, statements, visits,
};
use crate::{Gate, Route};

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
        reaches::index, reaches::result,
        statements::send_back,
        evidence::index,
        people::index, people::create, people::show, people::update, people::disclose, people::facts, people::state_fact,
        regions::index, regions::show,
        silences::contacts, silences::index, visits::visit_duties, visits::visit,
        visits::leaves, visits::take_leave, visits::rates, visits::call_out,
        signals::create, signals::observation, signals::status,
        imports::create, imports::index, imports::show, imports::acceptance, imports::cancellation, imports::errors,
    ),
    modifiers(&Whole),
    security(("token" = []))
)]
struct Document;

/// Operations that read no `Idempotency-Key`: signals are stored once by what they are, and a second disclosure is a
/// second look.
const WITHOUT_KEY: &[&str] = &["/api/v1/signals", "/api/v1/observations", "/api/v1/people/{id}/disclosures"];

/// What holds for all operations and need not be said at each handler.
struct Whole;

impl Modify for Whole {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", scheme);
        for (schema, field, words) in words() {
            if let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(schema)
                && let Some(RefOr::T(Schema::Object(field))) = object.properties.get_mut(field)
            {
                let none =
                    matches!(&field.schema_type, SchemaType::Array(types) if types.contains(&Type::Null));
                let words = words.into_iter().map(Value::from);
                field.enum_values = Some(words.chain(none.then_some(Value::Null)).collect());
            }
        }
        let table = crate::table();
        for (path, item) in &mut document.paths.paths {
            let PathItem { get, post, put, delete, .. } = item;
            for (method, operation) in [("GET", get), ("POST", post), ("PUT", put), ("DELETE", delete)] {
                let route = table.iter().find(|r| r.method == method && r.path == path);
                if let (Some(operation), Some(route)) = (operation, route) {
                    complete(route, operation);
                }
            }
        }
    }
}

/// Gives an operation its name, its key and the problems it may answer with.
fn complete(route: &Route, operation: &mut Operation) {
    let place = route.path.trim_start_matches("/api/v1/").replace(['{', '}'], "").replace(['/', '-'], "_");
    operation.operation_id = Some(format!("{}_{place}", route.method.to_lowercase()));
    let writes = route.method != "GET";
    if writes && !WITHOUT_KEY.contains(&route.path) {
        let key = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("1 到 128 个可见字符；同一个键和内容再发一次，得到第一次的答复"))
            .schema(Some(Object::with_type(Type::String)));
        operation.parameters.get_or_insert_default().push(key.build().into());
    }
    let common = [
        ("400", "地址、查询条件或内容的格式不对", true),
        ("401", "没有令牌，或令牌无效", true),
        ("403", "令牌的岗位没有这项权限", matches!(route.gate, Gate::May(_))),
        ("404", "没有找到，或不在管辖范围内", route.path.contains('{')),
        ("409", "与现在的情况冲突", false),
        ("413", "内容太大", writes),
        ("415", "内容类型不对", false),
        ("422", "内容读得懂，但不合规定", writes),
        ("503", "系统繁忙，请稍后重试", false),
    ];
    let responses = &mut operation.responses.responses;
    for (status, words, here) in common {
        if here || responses.contains_key(status) {
            responses.insert(status.to_owned(), problem(words));
        }
    }
    responses.insert("default".to_owned(), problem("其他问题"));
}

/// An answer that is a problem.
fn problem(words: &str) -> RefOr<Response> {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(words).content("application/problem+json", content).into()
}

fn codes<T: Copy>(all: &[T], code: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|one| code(*one)).collect()
}

/// Fields that take one of a few words.
fn words() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let orders = || codes(OrderState::ALL, OrderState::code);
    let incidents = || codes(IncidentState::ALL, IncidentState::code);
    let levels = || codes(Level::ALL, Level::code);
    let kinds = || codes(IncidentKind::ALL, IncidentKind::code);
    let ends = || codes(IncidentOutcome::ALL, IncidentOutcome::code);
    vec![
        ("OrderView", "state", orders()),
        ("Step", "state", orders()),
        ("SettledView", "state", orders()),
        ("CancellationBody", "reason", codes(CancelReason::ALL, CancelReason::code)),
        ("CallView", "outcome", codes(Outcome::ALL, Outcome::code)),
        ("Ending", "outcome", codes(Outcome::ALL, Outcome::code)),
        ("IncidentView", "state", incidents()),
        ("IncidentView", "kind", kinds()),
        ("IncidentView", "level", levels()),
        ("IncidentView", "outcome", ends()),
        ("IncidentNow", "state", incidents()),
        ("IncidentNow", "level", levels()),
        ("NewIncidentBody", "kind", kinds()),
        ("LevelBody", "level", levels()),
        ("ClosureBody", "outcome", ends()),
        ("PersonView", "state", codes(PersonState::ALL, PersonState::code)),
        ("ImportView", "state", codes(ImportState::ALL, ImportState::code)),
        ("StatementView", "state", codes(&Standing::ALL, Standing::code)),
        ("DutyView", "kind", codes(DutyKind::ALL, DutyKind::code)),
        ("DutyView", "grade", codes(RiskGrade::ALL, RiskGrade::code)),
    ]
}

/// The document.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// The names a query of a JSON address may have, as the document tells them; nothing for other addresses.
pub(crate) fn query_names(method: &str, path: &str) -> Option<&'static [String]> {
    static NAMES: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| {
        let of = |item: PathItem| -> Vec<String> {
            let all = item.get.and_then(|operation| operation.parameters).unwrap_or_default();
            let asked = all.into_iter().filter_map(|one| match one {
                RefOr::T(one) if one.parameter_in == ParameterIn::Query => Some(one.name),
                _ => None,
            });
            asked.collect()
        };
        document().paths.paths.into_iter().map(|(path, item)| (path, of(item))).collect()
    });
    NAMES.get(path).filter(|_| method == "GET").map(Vec::as_slice)
}

/// `GET /api/openapi.json`
pub async fn show() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

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

    /// Every operation with its address.
    fn operations(document: &Value) -> Vec<(&String, &String, &Value)> {
        let paths = document["paths"].as_object().unwrap().iter();
        paths
            .flat_map(|(path, all)| all.as_object().unwrap().iter().map(move |(m, o)| (path, m, o)))
            .collect()
    }

    #[test]
    fn operations_have_names_of_their_own_and_parameters_where_they_stand() {
        let document = serde_json::to_value(super::document()).unwrap();
        let mut names = BTreeSet::new();
        for (path, method, operation) in operations(&document) {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name), "{name} names two operations");
            let mut seen = BTreeSet::new();
            for one in operation["parameters"].as_array().into_iter().flatten() {
                let (name, place) = (one["name"].as_str().unwrap(), one["in"].as_str().unwrap());
                assert_eq!(place == "path", path.contains(&format!("{{{name}}}")), "{method} {path}: {name}");
                assert!(seen.insert(name), "{method} {path}: {name} twice");
            }
        }
    }

    #[test]
    fn refusals_are_told_as_they_are_sent() {
        let document = serde_json::to_value(super::document()).unwrap();
        for (path, method, operation) in operations(&document) {
            let answers = operation["responses"].as_object().unwrap();
            let mut wanted = vec!["400", "401"];
            wanted.extend(path.contains('{').then_some("404"));
            wanted.extend((method != "get").then_some("422"));
            wanted.extend((method != "get").then_some("413"));
            for status in wanted {
                assert!(answers.contains_key(status), "{method} {path}: {status}");
            }
            for (status, answer) in answers.iter().filter(|(status, _)| !status.starts_with('2')) {
                let content = &answer["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(content, "#/components/schemas/Problem", "{method} {path}: {status}");
                assert_eq!(answer["content"].as_object().unwrap().len(), 1, "{method} {path}: {status}");
            }
        }
    }

    #[test]
    fn words_are_listed_and_references_lead_somewhere() {
        let document = serde_json::to_value(super::document()).unwrap();
        for (schema, field, words) in super::words() {
            let told = &document["components"]["schemas"][schema]["properties"][field]["enum"];
            assert!(
                told.as_array().is_some_and(|told| told.len() >= words.len()),
                "{schema}.{field}: {told}"
            );
        }
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let place = reference.split('"').next().unwrap();
            assert!(document.pointer(place).is_some(), "{place} is nowhere");
        }
    }

    /// Two types of one name would be one schema, and one of them would be told wrongly.
    #[test]
    fn every_name_of_a_schema_is_one_type() {
        let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
        let mut found = std::collections::BTreeMap::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                for after in text.split("ToSchema)]\n").skip(1) {
                    let line = after.lines().find(|l| l.starts_with("pub ") || l.starts_with("struct "));
                    let mut words = line.unwrap_or_default().split([' ', '<', '{', '(']);
                    let name = words.find(|w| !["pub", "struct", "enum"].contains(w)).unwrap_or_default();
                    let other = found.insert(name.to_owned(), path.clone());
                    assert_eq!(other, None, "{name} stands in {} too", path.display());
                }
            }
        }
        assert!(found.len() > 80, "only {} schemas were found", found.len());
    }
}
