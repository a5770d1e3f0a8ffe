//! Entering a device. Its secret is shown on the answer and never again.

use app::{
    outcome::No,
    parties::people,
    signals::devices::{self, DeviceRefusal, NewDevice},
};
use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    response::IntoResponse,
};
use domain::{
    regions::RegionCode,
    signals::device::{DeviceKind, Protocol},
};
use serde::Deserialize;

use super::{person_of, sheet};
use crate::{
    App, Html, Page, Reply, Signed,
    desks::{
        accounts::region_typed,
        fields::Choice,
        form::{Mistake, again, wrong},
        regions::choices,
    },
    filters,
};

/// What was typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    serial: String,
    kind: String,
    protocol: String,
    vendor: String,
    person: String,
    region: String,
    place: String,
    beat_minutes: String,
}

#[derive(Template)]
#[template(path = "devices/new.html")]
struct New {
    page: Page,
    typed: Typed,
    person_name: String,
    kinds: Vec<Choice>,
    protocols: Vec<Choice>,
    regions: Vec<crate::desks::regions::Choice>,
    mistakes: Vec<Mistake>,
}

impl New {
    fn wrong(&self, field: &str) -> &str {
        wrong(&self.mistakes, field)
    }
}

async fn form(app: &App, page: Page, signed: &Signed, typed: Typed, mistakes: Vec<Mistake>) -> Reply<New> {
    let (actor, person) = (signed.actor(), person_of(&typed.person));
    let (regions, person_name) = app
        .read(move |tx, now| {
            let name = match person {
                Some(person) => match people::card(tx, &actor, person, now) {
                    Ok(card) => card.name,
                    Err(No::NotFound) => String::new(),
                    Err(no) => return Err(no),
                },
                None => String::new(),
            };
            Ok((choices(tx, &actor, "", now)?, name))
        })
        .await?;
    let mut protocols = vec![Choice::new("", "按种类默认", typed.protocol.is_empty())];
    protocols
        .extend(Protocol::ALL.iter().map(|p| Choice::new(p.code(), p.label(), typed.protocol == p.code())));
    Ok(New {
        page: page.titled("登记设备", "devices"),
        kinds: DeviceKind::ALL
            .iter()
            .map(|k| Choice::new(k.code(), k.label(), typed.kind == k.code()))
            .collect(),
        protocols,
        regions,
        person_name,
        typed,
        mistakes,
    })
}

/// `GET /devices/new`
pub async fn new(State(app): State<App>, page: Page, signed: Signed, Query(typed): Query<Typed>) -> Reply {
    Ok(Html(form(&app, page, &signed, typed, Vec::new()).await?).into_response())
}

/// `POST /devices`
pub async fn create(State(app): State<App>, page: Page, signed: Signed, Form(typed): Form<Typed>) -> Reply {
    let actor = signed.actor();
    let wish = typed.clone();
    let mut random = [0; 16];
    app.random(&mut random);
    let done = app
        .write(move |tx, now| {
            let region = match region_typed(tx, &actor, &wish.region, now) {
                Ok(Ok(range)) => range.and_then(|r| RegionCode::new(r.lo).ok()),
                Ok(Err(_)) => None,
                Err(no) => return Err(no.map(|never| match never {})),
            };
            let minutes: Option<i64> = wish.beat_minutes.trim().parse().ok();
            let new = NewDevice {
                protocol: Protocol::from_code(&wish.protocol),
                vendor: wish.vendor.trim().to_owned(),
                person: person_of(&wish.person),
                region,
                place: wish.place.trim().to_owned(),
                beat_seconds: minutes.map(|m| m.saturating_mul(60)),
                ..NewDevice::new(
                    DeviceKind::from_code(&wish.kind).unwrap_or(DeviceKind::Sos),
                    wish.serial.trim(),
                )
            };
            devices::add(tx, &actor, &new, random, now)
        })
        .await;
    match done {
        Ok((id, secret)) => sheet::label(&app, page, &signed, id, secret.reveal().to_owned()).await,
        Err(No::Refused(refusal)) => {
            let mistakes = vec![Mistake::new(field(&refusal), &refusal)];
            Ok(again(form(&app, page, &signed, typed, mistakes).await?))
        }
        Err(no) => Err(no.into()),
    }
}

fn field(refusal: &DeviceRefusal) -> &'static str {
    match refusal {
        DeviceRefusal::Serial | DeviceRefusal::Taken(_) | DeviceRefusal::Retired => "serial",
        DeviceRefusal::Unworn(_) | DeviceRefusal::NoPerson(_) => "person",
        DeviceRefusal::Beat => "beat_minutes",
        _ => "region",
    }
}
