//! One duty: who is to be seen, what was seen before, and the form of the visit.

use app::{
    outcome::{Answer, No},
    regions,
    signals::duties::{self, Followed, NewVisit, Recorded, VisitPhoto},
    store::Tx,
};
use askama::Template;
use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    access::{Act, Actor},
    ids::{PersonId, VisitDutyId},
    refusal::{Refusal, RefusalKind},
    signals::rounds::{Answer as Said, Mark, Met, Point, Report, VisitRefusal, Way},
    time::{At, Now},
};

use super::DutyRow;
use crate::{
    App, Html, Page, Problem, Reply, Signed,
    desks::{
        carer::Step,
        fields::{Choice, Mistake},
    },
    filters, see_with,
};

/// One of the eight points with its marks.
#[derive(Debug)]
pub struct PointField {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) marks: Vec<Choice>,
}

/// A try of the past.
#[derive(Debug)]
pub struct Past {
    pub(super) at: String,
    pub(super) what: String,
    pub(super) who: String,
    /// Where the photograph is, if there is one.
    pub(super) photo: Option<String>,
}

#[derive(Template)]
#[template(path = "duties/show.html")]
struct Show {
    page: Page,
    id: VisitDutyId,
    person: PersonId,
    duty: DutyRow,
    past: Vec<Past>,
    wrong: Vec<Mistake>,
    ways: Vec<Choice>,
    met: Vec<Choice>,
    points: Vec<PointField>,
    answers: Vec<Choice>,
    at: String,
    note: String,
}

struct Around {
    person: PersonId,
    duty: DutyRow,
    past: Vec<Past>,
}

fn around(tx: &mut Tx<'_>, actor: &Actor, id: VisitDutyId, now: Now) -> Answer<Around> {
    let line = duties::duty(tx, actor, id, now)?;
    let person = line.person;
    let past = duties::tries(tx, actor, person, 8)?;
    let book = regions::book(tx)?;
    let what = |t: &duties::Tried| {
        let answers: Vec<&str> = t.answers.iter().map(|a| a.label()).collect();
        let mut words = format!("{}：{}", t.way.label(), t.met.label());
        for more in [answers.join("、"), t.note.clone()].iter().filter(|m| !m.is_empty()) {
            words.push('；');
            words.push_str(more);
        }
        words
    };
    let past = past.iter().map(|t| Past {
        at: t.at.as_seen(now),
        what: what(t),
        who: t.by_name.clone(),
        photo: t.photo.then(|| format!("/duties/{id}/photos/{}", t.id)),
    });
    Ok(Around { person, past: past.collect(), duty: DutyRow::of(line, &book, now) })
}

fn page_of(page: Page, id: VisitDutyId, around: Around, sent: &Step, wrong: Vec<Mistake>, now: Now) -> Show {
    let chosen = |name: &str, usual: &str| match sent.text(name) {
        "" => usual.to_owned(),
        text => text.to_owned(),
    };
    let (way, met) = (chosen("way", Way::Door.code()), chosen("met", Met::Met.code()));
    let points = Point::ALL.iter().map(|point| {
        let mark = sent.text(point.code());
        let marks = [Mark::Fine, Mark::Worry, Mark::Urgent];
        let marks = marks.map(|m| Choice::new(m.code(), m.label(), m.code() == mark));
        PointField { name: point.code(), label: point.label(), marks: marks.into() }
    });
    let answers = sent.all("answer");
    let mut page = page.titled("巡访", "duties");
    page.title = around.duty.name.clone();
    Show {
        ways: Way::ALL.iter().map(|w| Choice::new(w.code(), w.label(), w.code() == way)).collect(),
        met: Met::ALL.iter().map(|m| Choice::new(m.code(), m.label(), m.code() == met)).collect(),
        points: points.collect(),
        answers: Said::ALL
            .iter()
            .map(|a| Choice::new(a.code(), a.label(), answers.iter().any(|s| s == a.code())))
            .collect(),
        at: chosen("at", &now.0.local().strftime("%Y-%m-%dT%H:%M").to_string()),
        note: sent.text("note").to_owned(),
        person: around.person,
        duty: around.duty,
        past: around.past,
        page,
        id,
        wrong,
    }
}

/// `GET /duties/{id}`
pub async fn show(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<VisitDutyId>,
) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let around = app.read(move |tx, now| around(tx, &actor, id, now)).await?;
    Ok(Html(page_of(page, id, around, &Step::default(), Vec::new(), app.now())))
}

/// The report as the form sends it. What is not understood is left as not said; the command tells what is missing.
fn report(sent: &Step, now: Now) -> Report {
    let mut points = [Mark::Unseen; 8];
    for (mark, point) in points.iter_mut().zip(Point::ALL) {
        *mark = Mark::from_code(sent.text(point.code())).unwrap_or(Mark::Unseen);
    }
    Report {
        at: At::parse(sent.text("at")).unwrap_or(now.0),
        way: Way::from_code(sent.text("way")).unwrap_or(Way::Door),
        met: Met::from_code(sent.text("met")).unwrap_or(Met::Met),
        points,
        answers: sent.all("answer").iter().filter_map(|a| Said::from_code(a)).collect(),
        note: sent.text("note").to_owned(),
    }
}

/// The input a refusal belongs to.
fn field_of(refusal: &VisitRefusal) -> &'static str {
    match refusal {
        VisitRefusal::Time(_) => "at",
        VisitRefusal::NoAnswer | VisitRefusal::Contradiction(_) => "answers",
        VisitRefusal::NoWords(_) | VisitRefusal::TooLong => "note",
        VisitRefusal::PointsMissing => "points",
        VisitRefusal::NotByContacts | VisitRefusal::OnlyByContacts => "met",
        VisitRefusal::Ended | VisitRefusal::BadPhoto | VisitRefusal::PhotoUsed | VisitRefusal::Order(_) => {
            "way"
        }
    }
}

fn said(done: &Recorded) -> String {
    let alarmed = done.followed.iter().any(|f| matches!(f, Followed::Incident(_)));
    let what =
        if done.success { "已记录，见到或联系上老人" } else { "已记录，没有找到老人" };
    if alarmed { format!("{what}；已报警情") } else { what.to_owned() }
}

/// Where one goes on: an elder who needs a service gets it ordered at once.
fn onward(page: &Page, person: PersonId, report: &Report) -> String {
    if report.answers.contains(&Said::Service) && page.may(Act::PlaceOrders) {
        format!("/orders/new?person={person}")
    } else {
        "/duties".to_owned()
    }
}

/// `POST /duties/{id}/visit`
pub async fn record(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<VisitDutyId>,
    mut sent: Step,
) -> Reply<Response> {
    let actor = signed.actor();
    let report = report(&sent, app.now());
    let (by, at) = (actor.clone(), report.at);
    let around = app.read(move |tx, now| around(tx, &actor, id, now)).await;
    let picture = match sent.photos.pop() {
        None => Ok(None),
        // Decoding a picture takes tens of milliseconds: not on a thread that serves others.
        Some(bytes) => tokio::task::spawn_blocking(move || VisitPhoto::parse(bytes, at).map(Some))
            .await
            .map_err(|_| Problem::malformed("照片没有读完，请重试"))?,
    };
    let done = match picture {
        Err(refusal) => Err(No::Refused(refusal)),
        Ok(photo) => {
            let new = NewVisit { report: report.clone(), photo, needs: Vec::new() };
            app.write(move |tx, now| duties::record(tx, &by, id, &new, now)).await
        }
    };
    match done {
        Ok(done) => {
            let person = around.map(|a| a.person)?;
            Ok(see_with(&onward(&page, person, &report), &said(&done), None))
        }
        Err(No::Refused(refusal)) => {
            let wrong = vec![Mistake { field: field_of(&refusal).to_owned(), text: refusal.to_string() }];
            let status = match refusal.kind() {
                RefusalKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
                RefusalKind::Conflict => StatusCode::CONFLICT,
            };
            let shown = page_of(page, id, around?, &sent, wrong, app.now());
            Ok((status, Html(shown)).into_response())
        }
        Err(no) => Err(no.into()),
    }
}

/// `GET /duties/{id}/photos/{photo}`: the photograph of a visit.
pub async fn photo(
    State(app): State<App>,
    signed: Signed,
    Path((_, photo)): Path<(VisitDutyId, i64)>,
) -> Reply<Response> {
    let actor = signed.actor();
    let (kind, bytes) = app.read(move |tx, _| duties::photo(tx, &actor, photo)).await?;
    let kept = "private, max-age=86400, immutable";
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, kept.to_owned())], bytes).into_response())
}
