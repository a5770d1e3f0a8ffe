//! Providers, carers, the catalogue, and rights of a person.

use app::{
    ledger::grants::{self, HeldRight},
    parties::{
        carers::{self, Carer, Held},
        providers::{self, Provider},
    },
    programmes,
};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use domain::{
    ids::{CarerId, EntitlementId, PersonId, ProviderId},
    money::Fen,
    parties::Sex,
    programmes::ServiceItem,
    regions::RegionCode,
    time::Month,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Listing, parsed, parsed_number};
use crate::{App, Problem, Reply, Signed};

/// A provider as programs see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderView {
    /// Id.
    #[schema(value_type = String)]
    id: ProviderId,
    /// Registered name.
    name: String,
    /// Unified social credit code.
    credit_code: String,
    /// Region of the office, 12 digits.
    #[schema(value_type = String)]
    region: RegionCode,
    /// First region code it serves.
    area_lo: String,
    /// Last region code it serves.
    area_hi: String,
    /// Phone of the office.
    phone: String,
    /// Number of the contract.
    contract_no: String,
    /// First day of the contract.
    contract_from: String,
    /// Last day of the contract.
    contract_to: String,
    /// Carers who have not left.
    carers: i64,
    /// Codes of the services it may do; in lists left empty.
    services: Vec<String>,
}

impl From<Provider> for ProviderView {
    fn from(p: Provider) -> ProviderView {
        ProviderView {
            id: p.id,
            name: p.name,
            credit_code: p.credit_code,
            region: p.region,
            area_lo: p.area.lo.to_string(),
            area_hi: p.area.hi.to_string(),
            phone: p.phone,
            contract_no: p.contract_no,
            contract_from: p.contract_from.to_string(),
            contract_to: p.contract_to.to_string(),
            carers: p.carers,
            services: p.services,
        }
    }
}

/// What a list of providers is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ProvidersAsked {
    /// Part of the name or the credit code.
    #[serde(default)]
    q: String,
    /// Serves somewhere in this region, 12 digits.
    region: Option<String>,
    /// May do this item.
    #[serde(default)]
    service: String,
    /// The `next` of the page before.
    after: Option<String>,
    /// 1 to 200; 50 when not given.
    limit: Option<String>,
}

/// Providers, by name.
#[utoipa::path(get, path = "/api/v1/providers", tag = "providers", params(ProvidersAsked),
    responses((status = 200, body = Listing<ProviderView>)))]
pub async fn index(
    State(app): State<App>,
    signed: Signed,
    Query(asked): Query<ProvidersAsked>,
) -> Reply<Listing<ProviderView>> {
    let region = asked.region.as_deref().filter(|r| !r.is_empty()).map(RegionCode::parse).transpose();
    let filter = providers::Filter {
        words: asked.q,
        region: region.map_err(|e| Problem::malformed(e.to_string()))?,
        service: asked.service,
        ..providers::Filter::default()
    };
    // The names are sorted as people sort them, so a place in the list is its number, not an id.
    let offset = parsed_number(asked.after.as_deref(), "after")?.unwrap_or(0).max(0);
    let limit = parsed_number(asked.limit.as_deref(), "limit")?.unwrap_or(50).clamp(1, 200);
    let actor = signed.actor();
    let mut list =
        app.read(move |tx, now| providers::list(tx, &actor, &filter, offset, limit + 1, now)).await?;
    let next = (list.len() as i64 > limit).then(|| (offset + limit).to_string());
    list.truncate(limit as usize);
    Ok(Listing { items: list.into_iter().map(ProviderView::from).collect(), next })
}

/// One provider with the services it may do.
#[utoipa::path(get, path = "/api/v1/providers/{id}", tag = "providers", params(("id" = String, Path)),
    responses((status = 200, body = ProviderView), (status = 404, body = Problem)))]
pub async fn show(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
) -> Reply<Json<ProviderView>> {
    let id: ProviderId = id.parse().map_err(|_| Problem::not_found())?;
    let actor = signed.actor();
    Ok(Json(app.read(move |tx, now| providers::provider(tx, &actor, id, now)).await?.into()))
}

/// A certificate as programs see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CertificateView {
    /// Word of the city packs.
    skill: &'static str,
    /// Number on the paper.
    certificate_no: String,
    /// Day of issue.
    valid_from: String,
    /// Last day; absent for one that does not run out.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<String>,
    /// A later one of the same kind is there.
    renewed: bool,
}

impl From<Held> for CertificateView {
    fn from(held: Held) -> CertificateView {
        CertificateView {
            skill: held.skill.code(),
            certificate_no: held.certificate_no,
            valid_from: held.valid_from.to_string(),
            valid_to: (held.valid_to != carers::NEVER).then(|| held.valid_to.to_string()),
            renewed: held.renewed,
        }
    }
}

/// A carer as programs see it; the phone stays masked.
#[derive(Debug, Serialize, ToSchema)]
pub struct CarerView {
    /// Id.
    #[schema(value_type = String)]
    id: CarerId,
    /// Who employs them.
    #[schema(value_type = String)]
    provider: ProviderId,
    /// Full name.
    name: String,
    /// male or female.
    #[schema(value_type = String)]
    sex: Sex,
    /// Phone, masked.
    phone: String,
    /// Languages spoken.
    languages: Vec<String>,
    /// Bit 0 Monday to bit 6 Sunday.
    work_days: i64,
    /// When the day begins, `08:00`.
    work_from: String,
    /// When it ends.
    work_to: String,
    /// First day of the leave entered last.
    #[serde(skip_serializing_if = "Option::is_none")]
    on_leave_from: Option<String>,
    /// Last day of that leave.
    #[serde(skip_serializing_if = "Option::is_none")]
    on_leave_to: Option<String>,
    /// Certificates.
    certificates: Vec<CertificateView>,
}

impl From<Carer> for CarerView {
    fn from(c: Carer) -> CarerView {
        let (from, to) = c.leave.map(|(from, to)| (from.to_string(), to.to_string())).unzip();
        CarerView {
            id: c.id,
            provider: c.provider,
            name: c.name,
            sex: c.sex,
            phone: c.phone_masked,
            languages: c.languages.split('、').filter(|l| !l.is_empty()).map(str::to_owned).collect(),
            work_days: c.work_days,
            work_from: carers::clock(c.work_from),
            work_to: carers::clock(c.work_to),
            on_leave_from: from,
            on_leave_to: to,
            certificates: c.certificates.into_iter().map(CertificateView::from).collect(),
        }
    }
}

/// Whose carers.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CarersAsked {
    /// Of this provider.
    provider: Option<String>,
    /// Part of the name.
    #[serde(default)]
    q: String,
}

/// Carers who have not left, by name; at most 1,000.
#[utoipa::path(get, path = "/api/v1/carers", tag = "providers", params(CarersAsked),
    responses((status = 200, body = Listing<CarerView>)))]
pub async fn carers(
    State(app): State<App>,
    signed: Signed,
    Query(asked): Query<CarersAsked>,
) -> Reply<Listing<CarerView>> {
    let provider = parsed(asked.provider.as_deref(), "provider")?;
    let filter = carers::Filter { provider, words: asked.q, ..carers::Filter::default() };
    let actor = signed.actor();
    let list = app.read(move |tx, now| carers::list(tx, &actor, &filter, 1000, now)).await?;
    Ok(Listing { items: list.into_iter().map(CarerView::from).collect(), next: None })
}

/// One carer with every certificate held now or before.
#[utoipa::path(get, path = "/api/v1/carers/{id}", tag = "providers", params(("id" = String, Path)),
    responses((status = 200, body = CarerView), (status = 404, body = Problem)))]
pub async fn carer(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Reply<Json<CarerView>> {
    let id: CarerId = id.parse().map_err(|_| Problem::not_found())?;
    let actor = signed.actor();
    Ok(Json(app.read(move |tx, _| carers::carer(tx, &actor, id)).await?.into()))
}

/// An item of the catalogue as programs see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceView {
    /// Code.
    code: String,
    /// Name.
    name: String,
    /// Which of the helps it is.
    help_kind: String,
    /// `visit` or `hour`.
    unit: &'static str,
    /// Planned minutes.
    minutes_std: i64,
    /// Below this a visit is too short.
    minutes_min: i64,
    /// Contract price of one unit in fen.
    #[schema(value_type = i64)]
    price_fen: Fen,
    /// How many carers must come.
    workers: i64,
    /// The carer must be of the elder's sex.
    same_sex: bool,
    /// Certificates each carer must hold: `+` and, `|` or.
    who_may: String,
    /// Certificates at least one of the carers must hold.
    one_of_them: String,
}

impl From<ServiceItem> for ServiceView {
    fn from(i: ServiceItem) -> ServiceView {
        ServiceView {
            code: i.code,
            name: i.name,
            help_kind: i.help_kind,
            unit: if i.by_hour { "hour" } else { "visit" },
            minutes_std: i.minutes_std.0,
            minutes_min: i.minutes_min.0,
            price_fen: i.unit_price,
            workers: i.workers,
            same_sex: i.same_sex,
            who_may: i.who_may,
            one_of_them: i.one_of_them,
        }
    }
}

/// The catalogue of today.
#[utoipa::path(get, path = "/api/v1/services", tag = "services",
    responses((status = 200, body = Listing<ServiceView>)))]
pub async fn services(State(app): State<App>, _: Signed) -> Reply<Listing<ServiceView>> {
    let items =
        app.read(|tx, now| Ok(programmes::catalogue_on(tx, now.day())?)).await.map_err(only_faults)?;
    Ok(Listing { items: items.into_iter().map(ServiceView::from).collect(), next: None })
}

/// One item as it holds today.
#[utoipa::path(get, path = "/api/v1/services/{code}", tag = "services", params(("code" = String, Path)),
    responses((status = 200, body = ServiceView), (status = 404, body = Problem)))]
pub async fn service(
    State(app): State<App>,
    _: Signed,
    Path(code): Path<String>,
) -> Reply<Json<ServiceView>> {
    let item =
        app.read(move |tx, now| Ok(programmes::item_on(tx, &code, now.day())?)).await.map_err(only_faults)?;
    item.map(|(item, _)| Json(ServiceItem::clone(&item).into())).ok_or_else(Problem::not_found)
}

fn only_faults(no: app::outcome::No<app::outcome::Never>) -> Problem {
    no.into()
}

/// A right of a person for a month.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntitlementView {
    /// Id.
    #[schema(value_type = String)]
    id: EntitlementId,
    /// Code of the programme.
    programme: String,
    /// Name of the programme.
    name: String,
    /// fen or minutes.
    asset: &'static str,
    /// How much for the month.
    amount: i64,
    /// Held for orders that are not yet settled.
    held: i64,
    /// Used by settled orders.
    used: i64,
    /// What can still be used.
    left: i64,
    /// Why it was granted, in Chinese.
    why: String,
}

impl From<HeldRight> for EntitlementView {
    fn from(r: HeldRight) -> EntitlementView {
        EntitlementView {
            id: r.id,
            left: r.left(),
            programme: r.programme,
            name: r.name,
            asset: r.asset.code(),
            amount: r.amount,
            held: r.held,
            used: r.used,
            why: r.why,
        }
    }
}

/// Which month.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MonthAsked {
    /// `2026-11`; this month when not given.
    month: Option<String>,
}

/// A person's rights of a month, in the order they are used.
#[utoipa::path(get, path = "/api/v1/people/{id}/entitlements", tag = "people",
    params(("id" = String, Path), MonthAsked),
    responses((status = 200, body = Listing<EntitlementView>), (status = 404, body = Problem)))]
pub async fn entitlements(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    Query(asked): Query<MonthAsked>,
) -> Reply<Listing<EntitlementView>> {
    let id: PersonId = id.parse().map_err(|_| Problem::not_found())?;
    let month = match asked.month.as_deref().filter(|m| !m.is_empty()) {
        None => app.now().month(),
        Some(text) => Month::parse(text).ok_or_else(|| Problem::malformed("month 应写成 2026-11 这样"))?,
    };
    let actor = signed.actor();
    let rights = app.read(move |tx, _| grants::rights_of(tx, &actor, id, month)).await?;
    Ok(Listing { items: rights.into_iter().map(EntitlementView::from).collect(), next: None })
}
