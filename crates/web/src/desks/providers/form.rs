//! Entering and changing a provider.

use app::{
    outcome::{Never, No},
    parties::providers::{self, ProviderAsk, ProviderRefusal},
    programmes,
};
use askama::Template;
use axum::{
    Form as Body,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{access::Actor, ids::ProviderId};

use super::service_choices;
use crate::{
    App, Html, Page, Problem, Reply, Signed,
    desks::fields::{Choice, Mistakes, Sent, region_options},
    filters, see_with,
};

#[derive(Template)]
#[template(path = "providers/form.html")]
struct Form {
    page: Page,
    /// Where the form goes, and where "cancel" goes.
    action: String,
    back: String,
    ask: ProviderAsk,
    mistakes: Mistakes,
    regions: Vec<Choice>,
    areas: Vec<Choice>,
    services: Vec<Choice>,
}

async fn form(
    app: &App,
    page: Page,
    actor: std::sync::Arc<Actor>,
    id: Option<ProviderId>,
    ask: ProviderAsk,
    mistakes: Mistakes,
) -> Reply<Form> {
    let page = page.titled(if id.is_some() { "修改服务商" } else { "登记服务商" }, "providers");
    let wanted = ask.clone();
    let (regions, areas, services) = app
        .read(move |tx, now| {
            let regions = region_options(tx, &actor, &wanted.region, now)?;
            let areas = region_options(tx, &actor, &wanted.area, now)?;
            let items = programmes::catalogue_on(tx, now.day())?;
            Ok::<_, No<Never>>((regions, areas, service_choices(&items, &wanted.services)))
        })
        .await?;
    let back = id.map_or_else(|| "/providers".to_owned(), |id| format!("/providers/{id}"));
    Ok(Form { page, action: back.clone(), back, ask, mistakes, regions, areas, services })
}

/// An empty form.
pub async fn new(State(app): State<App>, page: Page, signed: Signed) -> Reply<Html<impl Template>> {
    let ask = ProviderAsk::default();
    Ok(Html(form(&app, page, signed.actor(), None, ask, Mistakes::default()).await?))
}

/// The form with what is known.
pub async fn edit(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
) -> Reply<Html<impl Template>> {
    let id: ProviderId = id.parse().map_err(|_| Problem::not_found())?;
    let actor = signed.actor();
    let p = app.read(move |tx, now| providers::provider(tx, &actor, id, now)).await?;
    let ask = ProviderAsk {
        area: p.area_code().map(|code| code.to_string()).unwrap_or_default(),
        name: p.name,
        credit_code: p.credit_code,
        contact: p.contact,
        phone: p.phone,
        place: p.place.map(|(lon, lat)| format!("{lon},{lat}")).unwrap_or_default(),
        address: p.address,
        region: p.region.to_string(),
        contract_no: p.contract_no,
        contract_from: p.contract_from.to_string(),
        contract_to: p.contract_to.to_string(),
        services: p.services,
    };
    Ok(Html(form(&app, page, signed.actor(), Some(id), ask, Mistakes::default()).await?))
}

fn typed(sent: Vec<(String, String)>) -> ProviderAsk {
    let sent = Sent(sent);
    ProviderAsk {
        name: sent.text("name"),
        credit_code: sent.text("credit_code"),
        contact: sent.text("contact"),
        phone: sent.text("phone"),
        address: sent.text("address"),
        place: sent.text("place"),
        region: sent.text("region"),
        area: sent.text("area"),
        contract_no: sent.text("contract_no"),
        contract_from: sent.text("contract_from"),
        contract_to: sent.text("contract_to"),
        services: sent.all("services"),
    }
}

/// Enters a provider.
pub async fn create(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Body(sent): Body<Vec<(String, String)>>,
) -> Reply {
    let (ask, actor) = (typed(sent), signed.actor());
    let wish = ask.clone();
    let answer = app.write(move |tx, now| providers::enter(tx, &actor, &wish, now)).await;
    match answer {
        Ok(id) => Ok(see_with(&format!("/providers/{id}"), "已登记服务商", None)),
        Err(no) => again(&app, page, signed, None, ask, no).await,
    }
}

/// Changes a provider.
pub async fn update(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    Body(sent): Body<Vec<(String, String)>>,
) -> Reply {
    let id: ProviderId = id.parse().map_err(|_| Problem::not_found())?;
    let (ask, actor) = (typed(sent), signed.actor());
    let wish = ask.clone();
    let answer = app.write(move |tx, now| providers::edit(tx, &actor, id, &wish, now)).await;
    match answer {
        Ok(()) => Ok(see_with(&format!("/providers/{id}"), "已保存", None)),
        Err(no) => again(&app, page, signed, Some(id), ask, no).await,
    }
}

async fn again(
    app: &App,
    page: Page,
    signed: Signed,
    id: Option<ProviderId>,
    ask: ProviderAsk,
    no: No<ProviderRefusal>,
) -> Reply<Response> {
    let No::Refused(refusal) = no else { return Err(no.into()) };
    let mistakes = Mistakes::of(refusal.wrongs());
    let form = form(app, page, signed.actor(), id, ask, mistakes).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(form)).into_response())
}
