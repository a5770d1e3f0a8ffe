//! Providers and their carers: contracts, services, certificates that run out.

mod carer;
mod carer_form;
mod form;

use app::{
    outcome::{Never, No},
    parties::{
        carers::{self, Carer, Expiring, Standing},
        providers::{self, Contract, Filter, Provider},
    },
    programmes, regions,
};
use askama::Template;
use axum::extract::{Path, Query, State};
use domain::{
    access::{Act, Actor},
    ids::ProviderId,
    programmes::ServiceItem,
    regions::RegionCode,
    time::{Day, Now},
};
use serde::Deserialize;

use super::fields::{Choice, PAGE, Pages, region_choices, some_of};
use crate::{App, Html, Page, Problem, Reply, Signed, encode, filters};

pub use carer::{back, certify, depart, leave, phone, phone_page, show as carer};
pub use carer_form::{create as create_carer, edit as edit_carer, new as new_carer, update as update_carer};
pub use form::{create, edit, new, update};

/// Carers shown on one provider's page; more than any provider of a city has.
const CARERS_MAX: i64 = 500;
/// Certificates on the list of those that run out.
const EXPIRING_MAX: i64 = 500;

/// The answer of a question of this desk.
type Found<T> = Result<T, No<Never>>;

/// What the list is asked for.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    service: String,
    #[serde(default)]
    contract: String,
    #[serde(default)]
    papers: String,
    #[serde(default)]
    offset: i64,
}

impl Asked {
    fn filter(&self) -> Filter {
        Filter {
            words: self.q.clone(),
            region: RegionCode::parse(&self.region).ok(),
            service: self.service.clone(),
            contract: Contract::from_code(&self.contract),
            expiring: self.papers == "expiring",
        }
    }

    fn address(&self) -> String {
        let part = |name: &str, value: &str| match value {
            "" => String::new(),
            value => format!("{name}={}&", encode(value)),
        };
        format!(
            "/providers?{}{}{}{}{}",
            part("q", &self.q),
            part("region", &self.region),
            part("service", &self.service),
            part("contract", &self.contract),
            part("papers", &self.papers)
        )
    }
}

/// A chip: which kind, with which word.
#[derive(Debug, Clone)]
struct Chip {
    kind: &'static str,
    word: String,
}

fn contract_chip(contract: Contract) -> Chip {
    let kind = match contract {
        Contract::Current => "done",
        Contract::Coming => "info",
        Contract::Ending | Contract::Ended => "attention",
    };
    Chip { kind, word: contract.label().to_owned() }
}

fn standing_chip(standing: Standing) -> Chip {
    match standing {
        Standing::Renewed => Chip { kind: "quiet", word: "已换新证".to_owned() },
        Standing::Expired(days) => Chip { kind: "attention", word: format!("已过期 {days} 天") },
        Standing::Ending(0) => Chip { kind: "attention", word: "今天到期".to_owned() },
        Standing::Ending(days) => Chip { kind: "attention", word: format!("{days} 天后到期") },
        Standing::Valid => Chip { kind: "done", word: "有效".to_owned() },
    }
}

/// The last day of a certificate, in words for one that does not run out.
fn until(day: Day) -> String {
    if day == carers::NEVER { "长期".to_owned() } else { day.to_string() }
}

struct Row {
    id: ProviderId,
    name: String,
    area: String,
    contract: Chip,
    contract_to: String,
    items: i64,
    carers: i64,
    expiring: i64,
}

#[derive(Template)]
#[template(path = "providers/index.html")]
struct Index {
    page: Page,
    asked: Asked,
    regions: Vec<Choice>,
    services: Vec<Choice>,
    contracts: Vec<Choice>,
    rows: Vec<Row>,
    pages: Pages,
    may_enter: bool,
}

/// Whether the actor may write contracts: a provider's own office may not.
fn writes_contracts(actor: &Actor) -> bool {
    actor.may(Act::EditProviders).is_ok() && !actor.role.of_provider()
}

/// The list of providers.
pub async fn index(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(asked): Query<Asked>,
) -> Reply<Html<impl Template>> {
    let page = page.titled("服务商", "providers");
    let (actor, query) = (signed.actor(), asked.clone());
    let may_enter = writes_contracts(&actor);
    let (rows, total, regions, services) = app
        .read(move |tx, now| {
            let filter = query.filter();
            let list = providers::list(tx, &actor, &filter, query.offset, PAGE, now)?;
            let total = providers::count(tx, &actor, &filter, now)?;
            let book = regions::book(tx)?;
            let counts = list.iter().map(|p| row(p, &book, now)).collect::<Vec<_>>();
            let regions = region_choices(tx, &actor, &query.region, now)?;
            let items = programmes::catalogue_on(tx, now.day())?;
            let services = service_choices(&items, std::slice::from_ref(&query.service));
            Ok::<_, No<Never>>((counts, total, regions, services))
        })
        .await?;
    let contracts = Contract::ALL
        .into_iter()
        .map(|c| Choice::new(c.code(), c.label(), c.code() == asked.contract))
        .collect();
    let pages = Pages::of(&asked.address(), asked.offset, total);
    Ok(Html(Index { page, asked, regions, services, contracts, rows, pages, may_enter }))
}

fn row(p: &Provider, book: &regions::RegionBook, now: Now) -> Row {
    Row {
        id: p.id,
        name: p.name.clone(),
        area: p.area_code().map_or_else(String::new, |code| book.path_of(code)),
        contract: contract_chip(p.contract(now.day())),
        contract_to: p.contract_to.to_string(),
        items: p.items,
        carers: p.carers,
        expiring: p.expiring,
    }
}

fn service_choices(items: &[ServiceItem], chosen: &[String]) -> Vec<Choice> {
    let choice = |i: &ServiceItem| {
        Choice::new(i.code.clone(), format!("{} {}", i.code, i.name), chosen.contains(&i.code))
    };
    items.iter().map(choice).collect()
}

struct CarerRow {
    carer: Carer,
    hours: String,
    certificates: String,
    papers: Option<Chip>,
    leave: Option<String>,
}

struct ExpiringRow {
    one: Expiring,
    until: String,
    chip: Chip,
}

#[derive(Template)]
#[template(path = "providers/show.html")]
struct Show {
    page: Page,
    provider: Provider,
    office: String,
    area: String,
    contract: Chip,
    services: Vec<ServiceItem>,
    carers: Vec<CarerRow>,
    expiring: Vec<ExpiringRow>,
    may_edit: bool,
    may_employ: bool,
}

/// One provider: contract, services, carers, what runs out.
pub async fn show(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
) -> Reply<Html<impl Template>> {
    let id: ProviderId = id.parse().map_err(|_| Problem::not_found())?;
    let actor = signed.actor();
    let (writes, may_employ) = (writes_contracts(&actor), actor.may(Act::EditProviders).is_ok());
    let shown = app.read(move |tx, now| everything(tx, &actor, id, now)).await?;
    let page = page.titled(&shown.provider.name, "providers");
    let may_edit = writes && shown.inside;
    Ok(Html(Show {
        page,
        may_edit,
        may_employ,
        provider: shown.provider,
        office: shown.office,
        area: shown.area,
        contract: shown.contract,
        services: shown.services,
        carers: shown.carers,
        expiring: shown.expiring,
    }))
}

struct Everything {
    provider: Provider,
    office: String,
    area: String,
    contract: Chip,
    services: Vec<ServiceItem>,
    carers: Vec<CarerRow>,
    expiring: Vec<ExpiringRow>,
    /// The office stands in the actor's regions.
    inside: bool,
}

fn everything(tx: &mut app::store::Tx<'_>, actor: &Actor, id: ProviderId, now: Now) -> Found<Everything> {
    let provider = providers::provider(tx, actor, id, now)?;
    let filter = carers::Filter { provider: Some(id), ..carers::Filter::default() };
    let carers = carers::list(tx, actor, &filter, CARERS_MAX, now)?;
    let expiring = carers::expiring(tx, actor, Some(id), EXPIRING_MAX, now)?;
    let mut services = programmes::catalogue_on(tx, now.day())?;
    services.retain(|item| provider.services.contains(&item.code));
    let book = regions::book(tx)?;
    Ok(Everything {
        office: book.path_of(provider.region),
        area: provider.area_code().map_or_else(String::new, |code| book.path_of(code)),
        contract: contract_chip(provider.contract(now.day())),
        services,
        carers: carers.into_iter().map(|c| carer_row(c, now.day())).collect(),
        expiring: expiring.into_iter().map(|e| expiring_row(e, now.day())).collect(),
        inside: actor.sees(provider.region),
        provider,
    })
}

fn carer_row(carer: Carer, today: Day) -> CarerRow {
    let names: Vec<String> = carer
        .certificates
        .iter()
        .filter(|held| !matches!(held.standing(today), Standing::Expired(_)))
        .map(|held| held.skill.label().to_owned())
        .collect();
    let worst = carer.certificates.iter().map(|held| held.standing(today)).min_by_key(|s| match s {
        Standing::Expired(days) => -i64::from(*days) - 1000,
        Standing::Ending(days) => i64::from(*days),
        Standing::Valid | Standing::Renewed => i64::MAX,
    });
    CarerRow {
        hours: carer.hours(),
        certificates: some_of(&names, 3),
        papers: worst.filter(|s| matches!(s, Standing::Expired(_) | Standing::Ending(_))).map(standing_chip),
        leave: leave_words(&carer, today),
        carer,
    }
}

/// `休假至 2026-11-30`, for a leave that has not ended.
fn leave_words(carer: &Carer, today: Day) -> Option<String> {
    let (from, to) = carer.leave.filter(|(_, to)| *to >= today)?;
    Some(if from <= today { format!("休假至 {to}") } else { format!("{from} 起休假") })
}

fn expiring_row(one: Expiring, today: Day) -> ExpiringRow {
    ExpiringRow { until: until(one.held.valid_to), chip: standing_chip(one.held.standing(today)), one }
}

#[derive(Template)]
#[template(path = "providers/expiring.html")]
struct ExpiringPage {
    page: Page,
    rows: Vec<ExpiringRow>,
}

/// Certificates that have run out or will within thirty days.
pub async fn expiring(State(app): State<App>, page: Page, signed: Signed) -> Reply<Html<impl Template>> {
    let page = page.titled("证书到期", "providers");
    let actor = signed.actor();
    let rows = app
        .read(move |tx, now| {
            let list = carers::expiring(tx, &actor, None, EXPIRING_MAX, now)?;
            Ok::<_, No<Never>>(list.into_iter().map(|e| expiring_row(e, now.day())).collect::<Vec<_>>())
        })
        .await?;
    Ok(Html(ExpiringPage { page, rows }))
}
