//! Every route with what one must be allowed to do. A handler that is not here cannot be reached.

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    handler::Handler,
    http::{HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, on},
};
use domain::access::Act;
use tower_http::{compression::CompressionLayer, set_header::SetResponseHeaderLayer};

use crate::{
    App, Identity, Problem, api, assets,
    desks::{self, carer, hotline, people, providers, services, statements},
    identity, page, respond, upload,
};

/// What one must be allowed to do to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Anybody.
    Open,
    /// Anybody who is signed in.
    SignedIn,
    /// Posts that include the act.
    May(Act),
}

/// One route.
pub struct Route {
    /// `GET` or `POST` …
    pub method: &'static str,
    /// Path with `{names}`.
    pub path: &'static str,
    /// Who passes.
    pub gate: Gate,
    handler: MethodRouter<App>,
}

impl Route {
    /// The same route for bodies of up to this size.
    fn taking(mut self, bytes: usize) -> Route {
        self.handler = self.handler.layer(DefaultBodyLimit::max(bytes));
        self
    }
}

fn route<H, T>(method: &'static str, path: &'static str, gate: Gate, handler: H) -> Route
where
    H: Handler<T, App>,
    T: 'static,
{
    let filter = match method {
        "GET" => MethodFilter::GET,
        "POST" => MethodFilter::POST,
        "PUT" => MethodFilter::PUT,
        "DELETE" => MethodFilter::DELETE,
        other => panic!("{other} is not a method this table knows"),
    };
    Route { method, path, gate, handler: on(filter, handler) }
}

fn get<H: Handler<T, App>, T: 'static>(path: &'static str, gate: Gate, handler: H) -> Route {
    route("GET", path, gate, handler)
}

fn post<H: Handler<T, App>, T: 'static>(path: &'static str, gate: Gate, handler: H) -> Route {
    route("POST", path, gate, handler)
}

/// A route whose body may be larger than a form, up to `bytes`.
fn post_large<H: Handler<T, App>, T: 'static>(
    path: &'static str,
    gate: Gate,
    bytes: usize,
    handler: H,
) -> Route {
    let Route { handler, .. } = post(path, gate, handler);
    Route { method: "POST", path, gate, handler: handler.layer(DefaultBodyLimit::max(bytes)) }
}

/// The permission list: all routes there are.
pub fn table() -> Vec<Route> {
    use Gate::{May, Open, SignedIn};
    use desks::{
        accounts,
        door::{account, factor, invitation, sign_in},
    };
    vec![
        // Everybody
        get("/", Open, desks::door::home),
        get("/assets/{*name}", Open, assets::show),
        get("/health", Open, desks::door::health),
        post("/preferences", Open, desks::door::preferences),
        // The door
        get("/sign-in", Open, sign_in::new),
        post("/sign-in", Open, sign_in::create),
        get("/sign-in/code", Open, sign_in::code),
        post("/sign-in/code", Open, sign_in::prove),
        get("/sign-in/factor", Open, factor::show),
        post("/sign-in/factor", Open, factor::confirm),
        get("/sign-in/post", Open, sign_in::posts),
        post("/sign-in/post", Open, sign_in::choose),
        post("/sign-in/demo", Open, sign_in::demo),
        post("/sign-out", Open, sign_in::destroy),
        get("/first", Open, invitation::first),
        post("/first", Open, invitation::claim),
        get("/invitation/{code}", Open, invitation::show),
        post("/invitation/{code}", Open, invitation::accept),
        // Everybody who is signed in
        get("/live", SignedIn, desks::door::live),
        get("/notices", SignedIn, desks::door::notices),
        get("/account", SignedIn, account::show),
        post("/account/password", SignedIn, account::change_password),
        get("/account/factor", SignedIn, factor::show),
        post("/account/factor", SignedIn, factor::confirm),
        post("/account/factor/removal", SignedIn, factor::remove),
        post("/account/post", SignedIn, account::choose_post),
        post("/account/sessions/{session}/end", SignedIn, account::end_session),
        // Accounts
        get("/accounts", May(Act::Administer), accounts::index),
        post("/accounts", May(Act::Administer), accounts::open::create),
        get("/accounts/new", May(Act::Administer), accounts::open::new),
        get("/accounts/tokens", May(Act::Administer), accounts::tokens::index),
        post("/accounts/tokens", May(Act::Administer), accounts::tokens::create),
        post("/accounts/tokens/{token}/revocation", May(Act::Administer), accounts::tokens::revoke),
        get("/accounts/{account}", May(Act::Administer), accounts::show),
        post("/accounts/{account}/invitation", May(Act::Administer), accounts::open::invite_again),
        post("/accounts/{account}/closure", May(Act::Administer), accounts::open::close),
        post("/accounts/{account}/reopening", May(Act::Administer), accounts::open::reopen),
        post("/accounts/{account}/factor-removal", May(Act::Administer), accounts::open::clear_factor),
        post("/accounts/{account}/posts", May(Act::Administer), accounts::posts::create),
        post("/accounts/{account}/posts/{post}/end", May(Act::Administer), accounts::posts::end),
        post("/accounts/{account}/posts/{post}/restoration", May(Act::Administer), accounts::posts::restore),
        // The hotline desk
        get("/duties", May(Act::MakeRounds), desks::duties::index),
        get("/duties/leaves", May(Act::MakeRounds), desks::duties::leaves::index),
        post("/duties/leaves", May(Act::MakeRounds), desks::duties::leaves::create),
        post("/duties/leaves/{leave}/end", May(Act::MakeRounds), desks::duties::leaves::end),
        get("/duties/rounds", May(Act::SeeAlarms), desks::duties::rounds::index),
        post("/duties/rounds", May(Act::EditPeople), desks::duties::rounds::create),
        get("/duties/rates", May(Act::SeeAlarms), desks::duties::rates::show),
        get("/duties/{id}", May(Act::MakeRounds), desks::duties::show),
        post_large("/duties/{id}/visit", May(Act::MakeRounds), carer::PHOTO_BODY_MAX, desks::duties::record),
        get("/duties/{id}/photos/{photo}", May(Act::MakeRounds), desks::duties::photo),
        // Whoever was sent to a door; the command decides who that is
        get("/errands", SignedIn, desks::errands::mine),
        get("/errands/{id}", SignedIn, desks::errands::show),
        post("/errands/{id}/answer", SignedIn, desks::errands::answer),
        post("/errands/{id}/arrival", SignedIn, desks::errands::arrival),
        post("/errands/{id}/finding", SignedIn, desks::errands::finding),
        get("/hotline/errands/{id}", May(Act::AnswerAlarms), desks::errands::show),
        post("/hotline/errands/{id}/answer", May(Act::AnswerAlarms), desks::errands::answer),
        post("/hotline/errands/{id}/arrival", May(Act::AnswerAlarms), desks::errands::arrival),
        post("/hotline/errands/{id}/finding", May(Act::AnswerAlarms), desks::errands::finding),
        post("/hotline/errands/{id}/recall", May(Act::AnswerAlarms), desks::errands::recall),
        get("/hotline", May(Act::TakeCalls), hotline::desk),
        get("/hotline/queue", May(Act::TakeCalls), hotline::queue),
        get("/hotline/now", May(Act::TakeCalls), hotline::now),
        get("/hotline/context", May(Act::TakeCalls), hotline::context),
        get("/hotline/status", May(Act::TakeCalls), hotline::status),
        get("/hotline/calls/{id}", May(Act::TakeCalls), hotline::show),
        post("/hotline/calls/{id}/answer", May(Act::TakeCalls), hotline::answer),
        post("/hotline/calls/{id}/takeover", May(Act::TakeCalls), hotline::take_over),
        post("/hotline/calls/{id}/person", May(Act::TakeCalls), hotline::identify),
        post("/hotline/calls/{id}/note", May(Act::TakeCalls), hotline::note),
        post("/hotline/calls/{id}/order", May(Act::PlaceOrders), hotline::order),
        post("/hotline/calls/{id}/outcome", May(Act::TakeCalls), hotline::close),
        get("/hotline/alarms/{id}", May(Act::AnswerAlarms), hotline::alarm::show),
        get("/hotline/alarms/{id}/now", May(Act::AnswerAlarms), hotline::alarm::now),
        get("/hotline/alarms/{id}/errands", May(Act::AnswerAlarms), hotline::alarm::errands),
        get("/hotline/alarms/{id}/progress", May(Act::AnswerAlarms), hotline::alarm::progress),
        post("/hotline/alarms/{id}/acknowledgement", May(Act::AnswerAlarms), hotline::alarm::acknowledge),
        post("/hotline/alarms/{id}/acts", May(Act::AnswerAlarms), hotline::alarm::act),
        post("/hotline/alarms/{id}/draft", May(Act::AnswerAlarms), hotline::alarm::draft),
        post("/hotline/alarms/{id}/note", May(Act::AnswerAlarms), hotline::alarm::note),
        post("/hotline/alarms/{id}/result", May(Act::AnswerAlarms), hotline::alarm::result),
        post("/hotline/alarms/{id}/person", May(Act::AnswerAlarms), hotline::alarm::identify),
        post("/hotline/alarms/{id}/closure", May(Act::AnswerAlarms), hotline::alarm::close),
        post("/hotline/alarms/{id}/takeover", May(Act::ReviewAlarms), hotline::alarm::take_over),
        post("/hotline/emergency", May(Act::AnswerAlarms), hotline::alarm::emergency),
        // Incidents as records
        get("/alarms", May(Act::SeeAlarms), desks::alarms::index),
        get("/alarms/figures", May(Act::SeeAlarms), desks::alarms::figures::show),
        get("/alarms/missed", May(Act::SeeAlarms), desks::alarms::missed),
        get("/alarms/{id}", May(Act::SeeAlarms), desks::alarms::show),
        post("/alarms/{id}/review", May(Act::ReviewAlarms), desks::alarms::review),
        post("/alarms/{id}/return", May(Act::ReviewAlarms), desks::alarms::send_back),
        post("/alarms/{id}/reopening", May(Act::AnswerAlarms), desks::alarms::reopen),
        post("/alarms/{id}/handover", May(Act::AnswerAlarms), desks::alarms::hand_over),
        get("/calls", May(Act::TakeCalls), hotline::history),
        get("/orders/new", May(Act::PlaceOrders), hotline::new_order),
        post("/orders/new", May(Act::PlaceOrders), hotline::create_order),
        // Devices
        get("/devices", May(Act::SeeDevices), desks::devices::index),
        post("/devices", May(Act::EditDevices), desks::devices::create),
        get("/devices/new", May(Act::EditDevices), desks::devices::new),
        get("/devices/{id}", May(Act::SeeDevices), desks::devices::show),
        post("/devices/{id}/person", May(Act::EditDevices), desks::devices::give),
        post("/devices/{id}/secret", May(Act::EditDevices), desks::devices::renew),
        post("/devices/{id}/retirement", May(Act::EditDevices), desks::devices::retire),
        get("/devices/inspect", May(Act::SeeDevices), desks::devices::inspect::new),
        post("/devices/inspect", May(Act::SeeDevices), desks::devices::inspect::show),
        // The carer's phone
        get("/sw.js", Open, assets::worker),
        get("/carer", May(Act::VisitHomes), carer::day),
        get("/carer/pay", May(Act::VisitHomes), carer::pay),
        get("/carer/visits/{id}", May(Act::VisitHomes), carer::show),
        post("/carer/visits/{id}/acceptance", May(Act::VisitHomes), carer::acceptance),
        post("/carer/visits/{id}/refusal", May(Act::VisitHomes), carer::refusal),
        post("/carer/visits/{id}/arrival", May(Act::VisitHomes), carer::arrival),
        post("/carer/visits/{id}/telephone", May(Act::VisitHomes), carer::telephone),
        post_large("/carer/visits/{id}/photos", May(Act::VisitHomes), carer::PHOTO_BODY_MAX, carer::photos),
        get("/carer/visits/{id}/photos/{photo}", May(Act::VisitHomes), carer::photo),
        post("/carer/visits/{id}/empty-visit", May(Act::VisitHomes), carer::empty_visit),
        post("/carer/visits/{id}/interruption", May(Act::VisitHomes), carer::interruption),
        post("/carer/visits/{id}/departure", May(Act::VisitHomes), carer::departure),
        // Dispatch desk
        get("/dispatch", May(Act::DispatchOrders), desks::dispatch::index),
        get("/dispatch/waiting", May(Act::DispatchOrders), desks::dispatch::waiting),
        get("/dispatch/lanes", May(Act::DispatchOrders), desks::dispatch::timeline),
        get("/dispatch/candidates", May(Act::DispatchOrders), desks::dispatch::candidates),
        get("/dispatch/figures", May(Act::DispatchOrders), desks::dispatch::day_figures),
        get("/dispatch/{order}/fits", May(Act::DispatchOrders), desks::dispatch::fits),
        post("/dispatch/{order}/offer", May(Act::DispatchOrders), desks::dispatch::offer),
        // Providers, their carers and the catalogue
        get("/providers", May(Act::SeeProviders), providers::index),
        post("/providers", May(Act::EditProviders), providers::create),
        get("/providers/new", May(Act::EditProviders), providers::new),
        get("/providers/expiring", May(Act::SeeProviders), providers::expiring),
        get("/providers/{id}", May(Act::SeeProviders), providers::show),
        post("/providers/{id}", May(Act::EditProviders), providers::update),
        get("/providers/{id}/edit", May(Act::EditProviders), providers::edit),
        get("/providers/{id}/carers/new", May(Act::EditProviders), providers::new_carer),
        post("/providers/{id}/carers", May(Act::EditProviders), providers::create_carer),
        get("/carers/{id}", May(Act::SeeProviders), providers::carer),
        post("/carers/{id}", May(Act::EditProviders), providers::update_carer),
        get("/carers/{id}/edit", May(Act::EditProviders), providers::edit_carer),
        post("/carers/{id}/certificates", May(Act::EditProviders), providers::certify),
        post("/carers/{id}/leave", May(Act::EditProviders), providers::leave),
        post("/carers/{id}/return", May(Act::EditProviders), providers::back),
        post("/carers/{id}/departure", May(Act::EditProviders), providers::depart),
        get("/carers/{id}/phone", May(Act::SeeProviders), providers::phone_page),
        post("/carers/{id}/phone", May(Act::SeeProviders), providers::phone),
        get("/services", SignedIn, services::index),
        get("/services/{code}", SignedIn, services::show),
        // Statements
        get("/statements", May(Act::SeeMoney), statements::index),
        post("/statements", May(Act::SettleOrders), statements::create),
        get("/statements/{id}", May(Act::SeeMoney), statements::show),
        get("/statements/{id}/lines.csv", May(Act::SeeMoney), statements::lines),
        post("/statements/{id}/check", May(Act::ApproveMoney), statements::check),
        post("/statements/{id}/payment", May(Act::PayMoney), statements::pay),
        post("/statements/{id}/return", May(Act::SeeMoney), statements::send_back),
        // Orders
        get("/orders", May(Act::SeeOrders), desks::orders::index),
        get("/orders/export.csv", May(Act::SeeOrders), desks::orders::export),
        get("/orders/{id}", May(Act::SeeOrders), desks::orders::show),
        get("/orders/{id}/paper", May(Act::SeeOrders), desks::orders::paper),
        get("/orders/{id}/photos/{photo}", May(Act::SeeOrders), desks::orders::photo),
        post("/orders/{id}/confirmation", May(Act::ConfirmOrders), desks::orders::confirmation),
        post("/orders/{id}/rating", May(Act::ConfirmOrders), desks::orders::rating),
        post("/orders/{id}/cancellation", May(Act::PlaceOrders), desks::orders::cancellation),
        post("/orders/{id}/again", May(Act::PlaceOrders), desks::orders::again),
        post("/orders/{id}/settlement", May(Act::SettleOrders), desks::orders::settlement),
        post("/orders/{id}/own-share", May(Act::SettleOrders), desks::orders::own_share),
        post("/orders/{id}/exception", May(Act::SettleOrders), desks::orders::exception),
        post("/orders/{id}/exception/approval", May(Act::ApproveMoney), desks::orders::approval),
        get("/orders/{id}/trail", May(Act::SeeEvidence), desks::evidence::of_order),
        // Evidence
        get("/evidence", May(Act::SeeEvidence), desks::evidence::index),
        get("/evidence/{subject}", May(Act::SeeEvidence), desks::evidence::of_subject),
        // People
        get("/search", SignedIn, desks::search::index),
        get("/regions", SignedIn, desks::regions::index),
        get("/people", May(Act::SeePeople), people::index),
        post("/people", May(Act::EditPeople), people::create),
        get("/people/new", May(Act::EditPeople), people::new),
        get("/people/export.csv", May(Act::SeePeople), people::export),
        get("/people/print", May(Act::SeePeople), people::print_list),
        get("/people/{id}", May(Act::SeePeople), people::show),
        post("/people/{id}", May(Act::EditPeople), people::update),
        get("/people/{id}/edit", May(Act::EditPeople), people::edit),
        get("/people/{id}/print", May(Act::SeePeople), people::print),
        get("/people/{id}/reveal/{field}", May(Act::RevealPeople), people::ask),
        post("/people/{id}/reveal/{field}", May(Act::RevealPeople), people::open),
        get("/people/{id}/facts/new", May(Act::EditPeople), people::new_fact),
        post("/people/{id}/facts", May(Act::EditPeople), people::state_fact),
        get("/people/{id}/facts/{fact}/correction", May(Act::EditPeople), people::correction),
        post("/people/{id}/facts/{fact}/correction", May(Act::EditPeople), people::correct),
        post("/people/{id}/undo", May(Act::EditPeople), people::undo_change),
        post("/people/{id}/facts/{fact}/undo", May(Act::EditPeople), people::undo),
        // JSON API
        get("/api/openapi.json", Open, api::openapi::show),
        get("/api/v1/me", SignedIn, api::me::show),
        post("/api/v1/calls", May(Act::ReportCalls), api::calls::create),
        get("/api/v1/calls", May(Act::ReportCalls), api::calls::index),
        get("/api/v1/calls/{id}", May(Act::ReportCalls), api::calls::show),
        post("/api/v1/calls/{id}/answer", May(Act::TakeCalls), api::calls::answer),
        post("/api/v1/calls/{id}/takeover", May(Act::TakeCalls), api::calls::takeover),
        post("/api/v1/calls/{id}/ending", May(Act::TakeCalls), api::calls::ending),
        get("/api/v1/orders", May(Act::SeeOrders), api::orders::index),
        post("/api/v1/orders", May(Act::PlaceOrders), api::orders::create),
        get("/api/v1/orders/{id}", May(Act::SeeOrders), api::orders::show),
        get("/api/v1/orders/{id}/candidates", May(Act::DispatchOrders), api::orders::candidates),
        post("/api/v1/orders/{id}/assignment", May(Act::DispatchOrders), api::orders::assignment),
        post("/api/v1/orders/{id}/acceptance", May(Act::VisitHomes), api::orders::acceptance),
        post("/api/v1/orders/{id}/check-in", May(Act::VisitHomes), api::orders::check_in),
        post("/api/v1/orders/{id}/check-out", May(Act::VisitHomes), api::orders::check_out),
        post("/api/v1/orders/{id}/empty-visit", May(Act::VisitHomes), api::orders::empty_visit),
        post("/api/v1/orders/{id}/interruption", May(Act::VisitHomes), api::orders::interruption),
        post("/api/v1/orders/{id}/confirmation", May(Act::ConfirmOrders), api::orders::confirmation),
        post("/api/v1/orders/{id}/rating", May(Act::ConfirmOrders), api::orders::rating),
        post("/api/v1/orders/{id}/settlement", May(Act::SettleOrders), api::orders::settlement),
        post("/api/v1/orders/{id}/own-share", May(Act::SettleOrders), api::orders::own_share),
        post("/api/v1/orders/{id}/cancellation", May(Act::PlaceOrders), api::orders::cancellation),
        get("/api/v1/ledger/accounts", May(Act::SeeMoney), api::ledger::accounts),
        get("/api/v1/ledger/accounts/{id}", May(Act::SeeMoney), api::ledger::account),
        get("/api/v1/ledger/transfers", May(Act::SeeMoney), api::ledger::transfers),
        get("/api/v1/providers", May(Act::SeeProviders), api::providers::index),
        get("/api/v1/providers/{id}", May(Act::SeeProviders), api::providers::show),
        get("/api/v1/carers", May(Act::SeeProviders), api::providers::carers),
        get("/api/v1/carers/{id}", May(Act::SeeProviders), api::providers::carer),
        get("/api/v1/services", SignedIn, api::providers::services),
        get("/api/v1/services/{code}", SignedIn, api::providers::service),
        get("/api/v1/people/{id}/entitlements", May(Act::SeePeople), api::providers::entitlements),
        get("/api/v1/statements", May(Act::SeeMoney), api::statements::index),
        post("/api/v1/statements", May(Act::SettleOrders), api::statements::create),
        get("/api/v1/statements/{id}", May(Act::SeeMoney), api::statements::show),
        post("/api/v1/statements/{id}/check", May(Act::ApproveMoney), api::statements::check),
        post("/api/v1/statements/{id}/return", May(Act::SeeMoney), api::statements::send_back),
        post("/api/v1/statements/{id}/payment", May(Act::PayMoney), api::statements::payment),
        get("/api/v1/incidents", May(Act::SeeAlarms), api::incidents::index),
        post("/api/v1/incidents", May(Act::AnswerAlarms), api::incidents::create),
        get("/api/v1/incidents/figures", May(Act::SeeAlarms), api::incidents::figures),
        get("/api/v1/incidents/missed", May(Act::SeeAlarms), api::incidents::missed),
        get("/api/v1/incidents/{id}", May(Act::SeeAlarms), api::incidents::show),
        post(
            "/api/v1/incidents/{id}/acknowledgement",
            May(Act::AnswerAlarms),
            api::incidents::acknowledgement,
        ),
        post("/api/v1/incidents/{id}/hold", May(Act::AnswerAlarms), api::incidents::hold),
        post("/api/v1/incidents/{id}/draft", May(Act::AnswerAlarms), api::incidents::draft),
        post("/api/v1/incidents/{id}/note", May(Act::AnswerAlarms), api::incidents::note),
        post("/api/v1/incidents/{id}/escalation", May(Act::AnswerAlarms), api::incidents::escalation),
        post("/api/v1/incidents/{id}/contact-result", May(Act::AnswerAlarms), api::incidents::contact_result),
        post("/api/v1/incidents/{id}/level", May(Act::AnswerAlarms), api::incidents::level),
        post("/api/v1/incidents/{id}/identification", May(Act::AnswerAlarms), api::incidents::identification),
        post("/api/v1/incidents/{id}/handover", May(Act::AnswerAlarms), api::incidents::handover),
        post("/api/v1/incidents/{id}/takeover", May(Act::ReviewAlarms), api::incidents::takeover),
        post("/api/v1/incidents/{id}/closure", May(Act::AnswerAlarms), api::incidents::closure),
        post("/api/v1/incidents/{id}/review", May(Act::ReviewAlarms), api::incidents::review),
        post("/api/v1/incidents/{id}/reopening", May(Act::AnswerAlarms), api::incidents::reopening),
        get("/api/v1/reaches", May(Act::ReportReaches), api::reaches::index),
        post("/api/v1/reaches/{id}/result", May(Act::ReportReaches), api::reaches::result),
        get("/api/v1/evidence", May(Act::SeeEvidence), api::evidence::index),
        get("/api/v1/people", May(Act::SeePeople), api::people::index),
        post("/api/v1/people", May(Act::EditPeople), api::people::create),
        get("/api/v1/people/{id}", May(Act::SeePeople), api::people::show),
        route("PUT", "/api/v1/people/{id}", May(Act::EditPeople), api::people::update),
        post("/api/v1/people/{id}/disclosures", May(Act::RevealPeople), api::people::disclose),
        get("/api/v1/people/{id}/facts", May(Act::SeePeople), api::people::facts),
        post("/api/v1/people/{id}/facts", May(Act::EditPeople), api::people::state_fact),
        get("/api/v1/people/{id}/contacts", May(Act::SeePeople), api::silences::contacts),
        get("/api/v1/silences", May(Act::SeeAlarms), api::silences::index),
        get("/api/v1/signals/status", SignedIn, api::signals::status),
        post("/api/v1/signals", May(Act::SendSignals), api::signals::create),
        post("/api/v1/observations", May(Act::SendSignals), api::signals::observation),
        get("/api/v1/visit-duties", May(Act::SeeAlarms), api::visits::visit_duties),
        post("/api/v1/visit-duties/{id}/visit", May(Act::MakeRounds), api::visits::visit),
        get("/api/v1/visit-leaves", May(Act::MakeRounds), api::visits::leaves),
        post("/api/v1/visit-leaves", May(Act::MakeRounds), api::visits::take_leave),
        get("/api/v1/visit-rates", May(Act::SeeAlarms), api::visits::rates),
        post("/api/v1/visit-call-outs", May(Act::EditPeople), api::visits::call_out),
        get("/api/v1/regions", SignedIn, api::regions::index),
        get("/api/v1/regions/{code}", SignedIn, api::regions::show),
        post("/api/v1/imports", May(Act::ImportPeople), api::imports::create).taking(upload::BODY_MAX),
        get("/api/v1/imports", May(Act::ImportPeople), api::imports::index),
        get("/api/v1/imports/{id}", May(Act::ImportPeople), api::imports::show),
        post("/api/v1/imports/{id}/acceptance", May(Act::ImportPeople), api::imports::acceptance),
        post("/api/v1/imports/{id}/cancellation", May(Act::ImportPeople), api::imports::cancellation),
        get("/api/v1/imports/{id}/errors", May(Act::ImportPeople), api::imports::errors),
        // Imports
        get("/imports", May(Act::ImportPeople), desks::imports::index),
        post("/imports", May(Act::ImportPeople), desks::imports::create).taking(upload::BODY_MAX),
        get("/imports/template", May(Act::ImportPeople), desks::imports::template),
        get("/imports/tray", May(Act::ImportPeople), desks::imports::tray),
        get("/imports/{id}", May(Act::ImportPeople), desks::imports::show),
        get("/imports/{id}/progress", May(Act::ImportPeople), desks::imports::progress),
        get("/imports/{id}/errors", May(Act::ImportPeople), desks::imports::errors),
        post("/imports/{id}/columns", May(Act::ImportPeople), desks::imports::columns),
        post("/imports/{id}/acceptance", May(Act::ImportPeople), desks::imports::acceptance),
        post("/imports/{id}/cancellation", May(Act::ImportPeople), desks::imports::cancellation),
    ]
}

/// Who passes a route, by method and path template.
pub fn gate_of(method: &str, path: &str) -> Option<Gate> {
    table().into_iter().find(|r| r.method == method && r.path == path).map(|r| r.gate)
}

/// Largest body a route reads unless it says otherwise: forms and JSON.
const BODY_MAX: usize = 1024 * 1024;

/// Strict: nothing from elsewhere, nothing inline.
const POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; \
    object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The whole web of the application.
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    for Route { method, path, gate, handler } in table() {
        let names = api::openapi::query_names(method, path);
        let guarded = handler.route_layer(middleware::from_fn(move |r, n| pass(gate, names, r, n)));
        router = router.route(path, guarded);
    }
    let constant = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    router
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async {
            Problem::new(
                axum::http::StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "这个地址不支持这种操作",
            )
        })
        // One layer made of many, outermost first: the router copies each layer it is given, with all that lies inside
        // it, for every request.
        .layer((
            constant(header::CACHE_CONTROL, "no-store"),
            constant(header::REFERRER_POLICY, "same-origin"),
            constant(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            constant(header::CONTENT_SECURITY_POLICY, POLICY),
            CompressionLayer::new(),
            middleware::from_fn_with_state(app.clone(), identity::identify),
            middleware::from_fn_with_state(app.clone(), page::around),
            middleware::from_fn(respond::spoken),
            DefaultBodyLimit::max(BODY_MAX),
        ))
        .with_state(app)
}

async fn pass(gate: Gate, names: Option<&'static [String]>, request: Request, next: Next) -> Response {
    if let Some(problem) = refused(gate, names, &request) {
        return problem.into_response();
    }
    next.run(request).await
}

/// Why a request does not pass: who asks may not, or the query has names the address does not know.
fn refused(gate: Gate, names: Option<&[String]>, request: &Request) -> Option<Problem> {
    match (gate, request.extensions().get::<Identity>()) {
        (Gate::Open, _) | (Gate::SignedIn, Some(_)) => {}
        (_, None) => return Some(Problem::signed_out()),
        (Gate::May(act), Some(identity)) => {
            if let Err(forbidden) = identity.actor.may(act) {
                return Some(Problem::from(forbidden));
            }
        }
    }
    names.and_then(|names| api::known_names(request.uri(), names).err())
}
