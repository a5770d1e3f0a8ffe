//! The page of whoever was sent to a door: to whom, why, by when; going, there, found. For a telephone at the door.
//!
//! The page follows the news. Steps of whoever was sent are kept on the telephone first, as those of a visit, so that a
//! stairwell without a network loses none.
//!
//! One body, two frames: carers have the phone's, everybody else the staff's. `/errands/…` is for whoever was sent and
//! nobody else; under `/hotline/errands/…` whoever answers the incident notes the same for somebody who rang up instead.

use app::{
    outcome::{Answer, No, Outcome},
    parties::people,
    signals::incidents::{self, Errand},
    store::Tx,
};
use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use domain::{
    access::{Act, Actor, Role},
    ids::ErrandId,
    refusal::{Refusal, RefusalKind},
    signals::errand::{ErrandRefusal, ErrandState, Finding, distance},
    time::Now,
};
use serde::Deserialize;

use crate::{
    App, Html, Page, Problem, Reply, Signed,
    desks::{
        alarms::look,
        carer::Step,
        fields::{Choice, Mistake, whole_address},
    },
    filters, see_with,
    text::translate,
};

/// An errand in a list.
#[derive(Debug)]
pub(crate) struct Line {
    href: String,
    name: String,
    place: String,
    what: String,
    state: &'static str,
    look: &'static str,
    door_by: String,
}

/// What one was sent on, above one's other work; fetched anew when something changes.
#[derive(Debug, Template)]
#[template(path = "errands/mine.html")]
pub(crate) struct Mine {
    page: Page,
    lines: Vec<Line>,
}

impl Mine {
    pub(crate) fn load(tx: &mut Tx<'_>, actor: &Actor, page: Page, now: Now) -> Answer<Mine> {
        let mut lines = Vec::new();
        for errand in incidents::my_errands(tx, actor)? {
            let card = people::card_of(tx, errand.person, now)?;
            let (_, incident) = incidents::errand(tx, actor, errand.id)?;
            lines.push(Line {
                href: format!("/errands/{}", errand.id),
                place: whole_address(&card.region_path, &card.address),
                name: card.name,
                what: translate(incident.kind.label(), page.lang).into_owned(),
                state: errand.state.label(),
                look: chip(errand.state),
                door_by: errand.door_by.as_seen(now),
            });
        }
        Ok(Mine { page, lines })
    }
}

/// The kind of chip of a state.
pub(crate) fn chip(state: ErrandState) -> &'static str {
    match state {
        ErrandState::Asked => "attention",
        ErrandState::Coming => "info",
        ErrandState::There | ErrandState::Found => "done",
        ErrandState::Declined | ErrandState::Lapsed | ErrandState::Recalled => "quiet",
    }
}

/// Where it stands and by when: fetched anew while the page is open.
#[derive(Debug, Template)]
#[template(path = "errands/state.html")]
struct Standing {
    page: Page,
    state: ErrandState,
    look: &'static str,
    answer_by: String,
    door_by: String,
    late: bool,
    finding: String,
}

impl Standing {
    fn of(errand: &Errand, page: Page, now: Now) -> Standing {
        let words = errand.finding.map(|f| translate(f.label(), page.lang).into_owned()).unwrap_or_default();
        let finding = match errand.note.as_str() {
            "" => words,
            note => format!("{words}：{note}"),
        };
        Standing {
            state: errand.state,
            look: chip(errand.state),
            answer_by: errand.answer_by.rfc3339(),
            door_by: errand.door_by.as_seen(now),
            late: errand.state.open() && errand.arrived_at.is_none() && now.0 > errand.door_by,
            finding,
            page,
        }
    }
}

/// The errand itself, whatever stands around it.
#[derive(Debug, Template)]
#[template(path = "errands/body.html")]
struct Body {
    page: Page,
    /// Where its steps are sent.
    here: String,
    subject: String,
    /// The server's present, for the clocks of the page.
    now: String,
    state: ErrandState,
    standing: String,
    /// Whether this is who was sent; else it is noted for them.
    mine: bool,
    who: String,
    name: String,
    about: String,
    labels: Vec<String>,
    place: String,
    route: Option<String>,
    far: String,
    mark: String,
    icon: &'static str,
    level_look: &'static str,
    told: String,
    since: String,
    contacts: Vec<String>,
    /// The code of the door, once they said they go.
    door_code: String,
    back: String,
    wrong: Vec<Mistake>,
    findings: Vec<Choice>,
    note: String,
}

impl Body {
    /// Whether they have not come to the door yet: nothing is typed, so all of it may be fetched anew.
    fn on_the_way(&self) -> bool {
        matches!(self.state, ErrandState::Asked | ErrandState::Coming)
    }

    /// Whether there is something left to do or to tell. Who was called back or asked in vain may be at the door.
    fn unfinished(&self) -> bool {
        !matches!(self.state, ErrandState::Declined | ErrandState::Found)
    }

    fn wrong(&self, field: &str) -> &str {
        self.wrong.iter().find(|m| m.field == field).map_or("", |m| m.text.as_str())
    }
}

fn load(
    tx: &mut Tx<'_>,
    actor: &Actor,
    page: Page,
    id: ErrandId,
    (sent, wrong): (&Step, &[Mistake]),
    now: Now,
) -> Answer<Body> {
    let (errand, i) = incidents::errand(tx, actor, id)?;
    let card = people::card_of(tx, errand.person, now)?;
    let mine = errand.account == Some(actor.account);
    let contacts = match people::contacts(tx, actor, errand.person) {
        Ok(all) => all.into_iter().map(|c| format!("{} {}", c.relation, c.name)).collect(),
        // A carer sees who is to be helped, not the register.
        Err(No::Forbidden(_) | No::NotFound) => Vec::new(),
        Err(no) => return Err(no),
    };
    let door_code = incidents::errand_door_code(tx, actor, id)?.unwrap_or_default();
    let chosen = sent.text("finding").to_owned();
    let mut labels: Vec<String> = card.labels.iter().map(|l| translate(l, page.lang).into_owned()).collect();
    labels.extend([card.hearing.clone(), card.language.clone()].into_iter().filter(|l| !l.is_empty()));
    Ok(Body {
        subject: errand.incident.to_string(),
        now: now.0.rfc3339(),
        state: errand.state,
        standing: Standing::of(&errand, page.clone(), now).to_string(),
        mine,
        about: format!("{} 岁 · {}", card.age, translate(card.sex.label(), page.lang)),
        labels,
        place: whole_address(&card.region_path, &card.address),
        route: card.place.map(|(lon, lat)| format!("geo:{lat},{lon}")),
        far: errand.metres.map(distance).unwrap_or_default(),
        mark: format!("{} {}", i.level.code(), translate(i.kind.label(), page.lang)),
        icon: look::icon(i.kind),
        level_look: look::chip(i.level),
        told: i.text.clone(),
        since: i.received_at.as_seen(now),
        contacts,
        door_code,
        back: back(actor, &errand, mine),
        wrong: wrong.to_vec(),
        findings: Finding::ALL
            .iter()
            .map(|f| Choice::new(f.code(), translate(f.label(), page.lang), f.code() == chosen))
            .collect(),
        note: sent.text("note").to_owned(),
        who: errand.name,
        name: card.name,
        here: if mine { format!("/errands/{id}") } else { format!("/hotline/errands/{id}") },
        page,
    })
}

/// Where one goes on afterwards.
fn back(actor: &Actor, errand: &Errand, mine: bool) -> String {
    if !mine {
        return format!("/hotline/alarms/{}", errand.incident);
    }
    let home = if actor.role == Role::Worker { "/carer" } else { "/duties" };
    home.to_owned()
}

#[derive(Template)]
#[template(path = "errands/show.html")]
struct Show {
    page: Page,
    body: Body,
}

#[derive(Template)]
#[template(path = "errands/phone.html")]
struct Phone {
    page: Page,
    body: Body,
}

fn framed(page: Page, signed: &Signed, status: StatusCode, body: Body) -> Response {
    if signed.actor().role == Role::Worker {
        return (status, Html(Phone { page, body })).into_response();
    }
    (status, Html(Show { page, body })).into_response()
}

/// What the address may ask for.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    part: Option<String>,
}

/// `GET /errands/{id}`; `?part=state` is only where it stands, `?part=body` all but the frame.
pub async fn show(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    uri: Uri,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Reply {
    let (errand, actor) = (found(&app, &signed, &uri, &id).await?, signed.actor());
    let page = titled(page);
    if wanted.part.as_deref() == Some("state") {
        let standing = Standing::of(&errand, page, app.now());
        return Ok(Html(standing).into_response());
    }
    let within = page.clone();
    let body = app
        .read(move |tx, now| load(tx, &actor, within.clone(), errand.id, (&Step::default(), &[]), now))
        .await?;
    if wanted.part.is_some() {
        return Ok(Html(body).into_response());
    }
    Ok(framed(page, &signed, StatusCode::OK, body))
}

fn titled(page: Page) -> Page {
    let desk = if page.may(Act::AnswerAlarms) { "hotline" } else { "duties" };
    page.titled("派我上门", desk)
}

/// The errand of an address, if it is there for this one: each of the two doors has its own people.
async fn found(app: &App, signed: &Signed, uri: &Uri, id: &str) -> Reply<Errand> {
    let id: ErrandId = id.parse().map_err(|_| Problem::not_found())?;
    let actor = signed.actor();
    let (errand, _) = app.read(move |tx, _| incidents::errand(tx, &actor, id)).await?;
    let desk = uri.path().starts_with("/hotline/");
    let theirs = errand.account == Some(signed.actor().account);
    if desk || theirs { Ok(errand) } else { Err(Problem::not_found()) }
}

/// `GET /errands`: what one was sent on, as a part of the page.
pub async fn mine(State(app): State<App>, page: Page, signed: Signed) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    Ok(Html(app.read(move |tx, now| Mine::load(tx, &actor, page.clone(), now)).await?))
}

/// A step of an errand: the door it came through, what was sent, and once it is done the words for it.
struct Taken {
    errand: Errand,
    sent: Step,
    came: Outcome<String, ErrandRefusal>,
}

/// Takes a step once, for whoever the address is there for.
async fn take(
    app: &App,
    signed: &Signed,
    (uri, id): (&Uri, &str),
    sent: Step,
    words: &'static str,
    work: impl Fn(&mut Tx<'_>, &Actor, ErrandId, Now) -> Outcome<Errand, ErrandRefusal> + Send + 'static,
) -> Reply<Taken> {
    let errand = found(app, signed, uri, id).await?;
    let id = errand.id;
    let once = move |tx: &mut Tx<'_>, actor: &Actor, now| work(tx, actor, id, now).map(|_| words.to_owned());
    let came = sent.once(app, signed, once).await;
    Ok(Taken { errand, sent, came })
}

impl Taken {
    /// Says what came of it: back where one was, or why not.
    fn said(self) -> Reply {
        let here = match self.sent.text("back") {
            back if back.starts_with("/hotline/") => back.to_owned(),
            _ => format!("/errands/{}", self.errand.id),
        };
        match self.came {
            Ok(words) => Ok(see_with(&here, &words, None)),
            // A script shows the sentence itself.
            Err(No::Refused(refusal)) if !self.sent.script => Ok(see_with(&here, &refusal.to_string(), None)),
            Err(no) => Err(no.into()),
        }
    }
}

/// `POST /errands/{id}/answer`
pub async fn answer(
    State(app): State<App>,
    signed: Signed,
    uri: Uri,
    Path(id): Path<String>,
    sent: Step,
) -> Reply {
    let (coming, words) = match sent.text("coming") {
        "yes" => (true, "已答应去，热线已看到"),
        "no" => (false, "已记录去不了，会请别人去"),
        _ => return Err(Problem::malformed("请选择去还是去不了")),
    };
    let work = move |tx: &mut Tx<'_>, actor: &Actor, id, now| incidents::answer(tx, actor, id, coming, now);
    take(&app, &signed, (&uri, &id), sent, words, work).await?.said()
}

/// `POST /errands/{id}/arrival`
pub async fn arrival(
    State(app): State<App>,
    signed: Signed,
    uri: Uri,
    Path(id): Path<String>,
    sent: Step,
) -> Reply {
    let at = sent.device_at(app.now());
    let work = move |tx: &mut Tx<'_>, actor: &Actor, id, now| incidents::arrive(tx, actor, id, at, now);
    take(&app, &signed, (&uri, &id), sent, "已记录到达", work).await?.said()
}

/// `POST /errands/{id}/recall`: the desk does not need them any more.
pub async fn recall(
    State(app): State<App>,
    signed: Signed,
    uri: Uri,
    Path(id): Path<String>,
    sent: Step,
) -> Reply {
    take(&app, &signed, (&uri, &id), sent, "已撤回", incidents::recall).await?.said()
}

/// `POST /errands/{id}/finding`: what was seen at the door.
pub async fn finding(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    uri: Uri,
    Path(id): Path<String>,
    sent: Step,
) -> Reply {
    let (what, note) = (Finding::from_code(sent.text("finding")), sent.text("note").to_owned());
    let work = move |tx: &mut Tx<'_>, actor: &Actor, id, now| match what {
        None => Err(No::Refused(ErrandRefusal::NoFinding)),
        Some(what) => incidents::report(tx, actor, id, (what, &note), now),
    };
    let taken = take(&app, &signed, (&uri, &id), sent, "结果已报热线", work).await?;
    let actor = signed.actor();
    match taken.came {
        Ok(words) => {
            let mine = taken.errand.account == Some(actor.account);
            Ok(see_with(&back(&actor, &taken.errand, mine), &words, None))
        }
        Err(No::Refused(refusal)) if !taken.sent.script => {
            mistaken(&app, page, &signed, (taken.errand.id, taken.sent), &refusal).await
        }
        Err(no) => Err(no.into()),
    }
}

/// The page again with what was written and what is wrong about it.
async fn mistaken(
    app: &App,
    page: Page,
    signed: &Signed,
    (id, sent): (ErrandId, Step),
    refusal: &ErrandRefusal,
) -> Reply {
    let field = match refusal {
        ErrandRefusal::NoWords { .. } | ErrandRefusal::TooLong => "note",
        _ => "finding",
    };
    let status = match refusal.kind() {
        RefusalKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        RefusalKind::Conflict => StatusCode::CONFLICT,
    };
    let (page, actor) = (titled(page), signed.actor());
    let text = translate(&refusal.to_string(), page.lang).into_owned();
    let wrong = [Mistake { field: field.to_owned(), text }];
    let within = page.clone();
    let body = app.read(move |tx, now| load(tx, &actor, within.clone(), id, (&sent, &wrong), now)).await?;
    Ok(framed(page, signed, status, body))
}
