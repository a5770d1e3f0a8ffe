//! Stating a fact, correcting one, taking one back.

use std::collections::HashMap;

use app::{
    outcome::{Answer, No},
    parties::people::{self, FACT_KINDS, FactRefusal, NewFact},
    regions,
    store::Tx,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{
    access::Actor,
    ids::{FactId, PersonId},
    parties::{FactKind, FactValue, Span},
    time::{Day, Now},
};
use serde::Deserialize;

use super::{Choice, Fields, choice, record, values_of};
use crate::{App, Html, Page, Problem, Reply, Signed, desks::regions as region_field, filters, see_with};

/// What the fact is to be about.
#[derive(Debug, Default, Deserialize)]
pub struct About {
    #[serde(default)]
    kind: String,
}

#[derive(Template)]
#[template(path = "people/fact.html")]
struct FactForm {
    page: Page,
    person: PersonId,
    name: String,
    kind: FactKind,
    kinds: Vec<Choice>,
    values: Vec<Choice>,
    regions: Vec<region_field::Choice>,
    fields: Fields,
    /// The fact being corrected, in words.
    corrects: Option<String>,
    action: String,
}

/// What the form needs besides what was sent.
struct Around {
    name: String,
    regions: Vec<region_field::Choice>,
    corrects: Option<(FactValue, String)>,
}

fn around(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person: PersonId,
    fact: Option<FactId>,
    now: Now,
) -> Answer<Around> {
    let card = people::card(tx, actor, person, now)?;
    let book = regions::book(tx)?;
    let corrects = match fact {
        None => None,
        Some(id) => {
            let facts = people::facts_as_of(tx, actor, person, None, None)?;
            let fact = facts.into_iter().find(|f| f.id == id).ok_or(No::NotFound)?;
            let said = format!(
                "{}：{}，{}",
                fact.value.kind().label(),
                record::said(&fact.value, &book),
                record::days(fact.span)
            );
            Some((fact.value, said))
        }
    };
    Ok(Around { name: card.name, regions: region_field::choices(tx, actor, "", now)?, corrects })
}

fn form(
    page: Page,
    person: PersonId,
    kind: FactKind,
    fields: Fields,
    around: Around,
    action: String,
) -> FactForm {
    FactForm {
        kinds: FACT_KINDS.iter().map(|k| choice(k.code(), k.label(), kind.code())).collect(),
        values: values_of(kind, fields.value("value")),
        page: page.titled(if around.corrects.is_some() { "更正登记" } else { "登记情况" }, "people"),
        corrects: around.corrects.map(|c| c.1),
        name: around.name,
        regions: around.regions,
        person,
        kind,
        fields,
        action,
    }
}

/// `GET /people/{id}/facts/new?kind=`
pub async fn new(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<PersonId>,
    Query(about): Query<About>,
) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let around = app.read(move |tx, now| around(tx, &actor, id, None, now)).await?;
    let kind = FactKind::from_code(&about.kind).unwrap_or(FactKind::State);
    let mut fields = Fields::default();
    fields.set("from", app.now().day().to_string());
    Ok(Html(form(page, id, kind, fields, around, format!("/people/{id}/facts"))))
}

/// `GET /people/{id}/facts/{fact}/correction`
pub async fn correction(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path((id, fact)): Path<(PersonId, FactId)>,
) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let (around, span) = app
        .read(move |tx, now| {
            let facts = people::facts_as_of(tx, &actor, id, None, None)?;
            let span = facts.iter().find(|f| f.id == fact).map(|f| f.span).ok_or(No::NotFound)?;
            Ok::<_, No<app::outcome::Never>>((around(tx, &actor, id, Some(fact), now)?, span))
        })
        .await?;
    let mut fields = Fields::default();
    fields.set("from", span.from.to_string());
    fields.set("to", span.to.and_then(|to| to.yesterday().ok()).map(|d| d.to_string()).unwrap_or_default());
    let value = around.corrects.as_ref().map(|c| c.0.clone());
    if let Some(value) = &value {
        fields.set("value", if value.kind() == FactKind::Hukou { value.label() } else { value.code() });
    }
    let kind = value.map_or(FactKind::State, |v| v.kind());
    Ok(Html(form(page, id, kind, fields, around, format!("/people/{id}/facts/{fact}/correction"))))
}

/// The fact the form describes; mistakes are noted in the fields.
fn read(tx: &mut Tx<'_>, kind: FactKind, fields: &mut Fields, now: Now) -> Answer<Option<NewFact>> {
    let typed = fields.value("value").to_owned();
    let value = if kind == FactKind::Hukou && !typed.is_empty() {
        // Somebody may be registered anywhere, not only where the clerk works.
        match regions::book(tx)?.locate(&typed, domain::regions::RegionRange::ALL, now.day()) {
            Ok(code) => Some(FactValue::Hukou(code)),
            Err(refusal) => {
                fields.wrong("value", refusal);
                None
            }
        }
    } else {
        let value = FactValue::parse(kind, &typed);
        if value.is_none() {
            fields.wrong("value", "请选择或填写");
        }
        value
    };
    let day = |text: &str| text.parse::<Day>().map_err(|_| "日期应写成 2026-11-21");
    let from = fields.some("from", day).unwrap_or(now.day());
    // People mean the last day itself; a fact ends on the day after.
    let last = fields.some("to", day).and_then(|d| d.tomorrow().ok());
    let source = fields.value("source").to_owned();
    Ok(value.filter(|_| fields.wrong.is_empty()).map(|value| NewFact {
        value,
        span: Span { from, to: last },
        source,
    }))
}

fn at_field(refusal: &FactRefusal) -> &'static str {
    match refusal {
        FactRefusal::Backwards => "to",
        FactRefusal::Day(_) => "from",
        FactRefusal::Source => "source",
        FactRefusal::Reason => "reason",
        _ => "value",
    }
}

/// What came of sending the form: done, or the form again.
enum Sent<T> {
    Done(T),
    Again(Fields),
}

fn settle<T>(outcome: Result<T, No<FactRefusal>>, mut fields: Fields) -> Result<Sent<T>, No<FactRefusal>> {
    match outcome {
        Ok(done) => Ok(Sent::Done(done)),
        Err(No::Refused(refusal)) => {
            fields.wrong(at_field(&refusal), &refusal);
            // Nothing was written by a refused command, so the transaction may end as if nothing had been asked.
            Ok(Sent::Again(fields))
        }
        Err(other) => Err(other),
    }
}

/// `POST /people/{id}/facts`
pub async fn create(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<PersonId>,
    Form(sent): Form<HashMap<String, String>>,
) -> Reply<Response> {
    let fields = Fields::of(sent);
    let kind =
        FactKind::from_code(fields.value("kind")).ok_or_else(|| Problem::malformed("没有这一类情况"))?;
    let actor = signed.actor();
    let done = app
        .write(move |tx, now| {
            let mut fields = fields.clone();
            let read = read(tx, kind, &mut fields, now).map_err(|no| no.map(|never| match never {}))?;
            match read {
                None => Ok(Sent::Again(fields)),
                Some(new) => {
                    let stated = people::state_fact(tx, &actor, id, &new, now);
                    settle(stated.map(|fact| (fact, new.value.label())), fields)
                }
            }
        })
        .await?;
    match done {
        Sent::Done((fact, label)) => {
            let undo = format!("/people/{id}/facts/{fact}/undo");
            let text = format!("已登记{}：{label}", kind.label());
            Ok(see_with(&format!("/people/{id}"), &text, Some(&undo)))
        }
        Sent::Again(fields) => {
            let actor = signed.actor();
            let around = app.read(move |tx, now| around(tx, &actor, id, None, now)).await?;
            let again = form(page, id, kind, fields, around, format!("/people/{id}/facts"));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(again)).into_response())
        }
    }
}

/// `POST /people/{id}/facts/{fact}/correction`
pub async fn correct(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path((id, fact)): Path<(PersonId, FactId)>,
    Form(sent): Form<HashMap<String, String>>,
) -> Reply<Response> {
    let fields = Fields::of(sent);
    let kind =
        FactKind::from_code(fields.value("kind")).ok_or_else(|| Problem::malformed("没有这一类情况"))?;
    let actor = signed.actor();
    let done = app
        .write(move |tx, now| {
            let mut fields = fields.clone();
            let withdraw = fields.ticked("withdraw");
            let new = if withdraw {
                None
            } else {
                read(tx, kind, &mut fields, now).map_err(|no| no.map(|never| match never {}))?
            };
            if new.is_none() && !withdraw {
                return Ok(Sent::Again(fields));
            }
            let reason = fields.value("reason").to_owned();
            settle(people::correct_fact(tx, &actor, fact, new.as_ref(), &reason, now), fields)
        })
        .await?;
    match done {
        Sent::Done(_) => Ok(see_with(&format!("/people/{id}"), &format!("已更正{}", kind.label()), None)),
        Sent::Again(fields) => {
            let actor = signed.actor();
            let around = app.read(move |tx, now| around(tx, &actor, id, Some(fact), now)).await?;
            let again = form(page, id, kind, fields, around, format!("/people/{id}/facts/{fact}/correction"));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(again)).into_response())
        }
    }
}

/// `POST /people/{id}/facts/{fact}/undo`
pub async fn undo(
    State(app): State<App>,
    signed: Signed,
    Path((id, fact)): Path<(PersonId, FactId)>,
) -> Reply<Response> {
    let actor = signed.actor();
    app.write(move |tx, now| people::take_back_fact(tx, &actor, fact, now)).await?;
    Ok(see_with(&format!("/people/{id}"), "已撤销刚才的登记", None))
}
