//! One record: who, where, whom to call, rights, what happened, who looked.

use app::{
    ledger::grants::{self, HeldRight},
    orders::{self, Filter},
    outcome::{Answer, Never, No},
    parties::people::{self, Fact, Person},
    regions,
    signals::{sightings, silences},
    store::Tx,
};
use askama::Template;
use axum::extract::{Path, State};
use domain::{
    access::{Act, Actor, Role},
    ids::PersonId,
    money::{Fen, Minutes},
    parties::{FactKind, FactValue, Span},
    programmes::Asset,
    regions::Level,
    signals::silence::Told,
    time::{At, Now},
};

use super::{StateChip, story};
use crate::{App, Html, Page, Reply, Signed, encode, filters};

/// A contact, ready to show.
#[derive(Debug)]
pub struct ContactLine {
    pub(super) name: String,
    pub(super) relation: String,
    pub(super) phone: String,
    pub(super) href: String,
}

/// A fact, ready to show.
#[derive(Debug)]
pub struct FactLine {
    pub(super) kind: &'static str,
    pub(super) value: String,
    pub(super) days: String,
    pub(super) source: String,
    pub(super) correction: String,
}

/// Something that happened, or somebody who looked.
#[derive(Debug)]
pub struct Moment {
    pub(super) at: String,
    pub(super) what: String,
    pub(super) who: String,
}

/// A right of the month.
#[derive(Debug)]
pub struct RightLine {
    pub(super) programme: String,
    pub(super) why: String,
    pub(super) amount: String,
    pub(super) left: String,
}

/// One of the last orders.
#[derive(Debug)]
pub struct OrderLine {
    pub(super) href: String,
    pub(super) when: String,
    pub(super) what: String,
    pub(super) state: &'static str,
    pub(super) who: String,
}

/// The last-contact clock, ready to show.
#[derive(Debug, Default)]
pub struct ClockView {
    pub(super) chip: &'static str,
    /// Empty for somebody who is not watched.
    pub(super) state: &'static str,
    pub(super) when: String,
    pub(super) grade: &'static str,
    pub(super) why: String,
    pub(super) charge: String,
    pub(super) seen: Vec<Moment>,
}

/// Traces of life shown on a record.
const SEEN_SHOWN: i64 = 12;

impl ClockView {
    fn load(tx: &mut Tx<'_>, actor: &Actor, id: PersonId, now: Now) -> Answer<ClockView> {
        let standing = silences::standing(tx, actor, id, now)?;
        let seen = sightings::of_person(tx, actor, id, SEEN_SHOWN)?;
        let seen = seen.into_iter().map(|s| Moment {
            at: s.at.as_seen(now),
            what: s.kind.label().to_owned(),
            who: s.source,
        });
        let mut view = ClockView { seen: seen.collect(), ..ClockView::default() };
        let Some(((grade, why, _), told)) = standing.watched.zip(standing.told) else { return Ok(view) };
        (view.chip, view.state, view.when) = match told {
            Told::Running { due, .. } => ("done", "正常", format!("{} 前须有联系", due.as_seen(now))),
            Told::Paused { why, until } => ("quiet", "计时暂停", format!("{why}，至 {}", until.as_seen(now))),
            Told::Overdue { from, .. } => {
                ("attention", "失联", format!("{} 起无人联系上", from.as_seen(now)))
            }
        };
        view.grade = grade.label();
        view.why = why;
        view.charge = standing.charge.map(|c| c.1).unwrap_or_default();
        Ok(view)
    }
}

/// A record, ready to show.
#[derive(Debug)]
pub struct Record {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) age: u16,
    pub(super) sex: &'static str,
    pub(super) birth: String,
    pub(super) state: StateChip,
    pub(super) labels: Vec<&'static str>,
    /// Name and list of each region above, county first.
    pub(super) crumbs: Vec<(String, String)>,
    pub(super) region_path: String,
    pub(super) address: String,
    pub(super) id_no: String,
    pub(super) phone: String,
    pub(super) bank_card: String,
    pub(super) health_known: bool,
    pub(super) door_code_known: bool,
    pub(super) hukou: String,
    pub(super) language: String,
    pub(super) hearing: String,
    pub(super) contacts: Vec<ContactLine>,
    pub(super) facts: Vec<FactLine>,
    pub(super) rights: Vec<RightLine>,
    /// None when one may not see orders.
    pub(super) orders: Option<Vec<OrderLine>>,
    pub(super) happened: Vec<Moment>,
    /// Everything that happened around the elder, the latest first.
    pub(super) story: Vec<story::Event>,
    /// None when one may not see devices.
    pub(super) devices: Option<Vec<story::Owned>>,
    pub(super) looked: Vec<Moment>,
    pub(super) entered: String,
    pub(super) updated: String,
    pub(super) check_code: String,
    pub(super) deceased: bool,
}

/// Orders shown on a record; the list of orders has the rest.
const ORDERS_SHOWN: i64 = 8;

impl Record {
    pub(super) fn load(tx: &mut Tx<'_>, actor: &Actor, id: PersonId, now: Now) -> Answer<Record> {
        let person = people::person(tx, actor, id, now)?;
        let happened = people::timeline(tx, actor, id)?;
        let looked = people::who_looked(tx, actor, id)?;
        let story = story::story(tx, actor, id, &happened, now)?;
        let devices = story::owned(tx, actor, id, now)?;
        let rights = grants::rights_of(tx, actor, id, now.month())?;
        let orders =
            if actor.may(Act::SeeOrders).is_ok() { Some(last_orders(tx, actor, id, now)?) } else { None };
        let book = regions::book(tx)?;
        let who = |name: &str, role: &str| {
            let role = Role::from_code(role).map_or("", Role::label);
            format!("{name} {role}").trim().to_owned()
        };
        let line = book.line(person.card.region);
        let crumbs = line
            .iter()
            .filter(|r| r.level >= Level::County)
            .map(|r| (r.name.clone(), format!("/people?region={}", encode(&book.path_of(r.code)))));
        Ok(Record {
            crumbs: crumbs.collect(),
            rights: rights.iter().map(right).collect(),
            orders,
            story,
            devices,
            happened: happened
                .iter()
                .map(|h| Moment {
                    at: h.at.as_seen(now),
                    what: h.what.clone(),
                    who: who(&h.by_name, &h.role),
                })
                .collect(),
            looked: looked
                .iter()
                .map(|l| Moment {
                    at: l.at.as_seen(now),
                    what: format!("{}（{}）", l.field, l.reason),
                    who: who(&l.by_name, &l.role),
                })
                .collect(),
            ..Record::of(person, &book, now)
        })
    }

    fn of(p: Person, book: &regions::RegionBook, now: Now) -> Record {
        let id = p.card.id.to_string();
        let deceased = p.card.state == domain::parties::PersonState::Deceased;
        let entered = |at: At| at.as_seen(now);
        Record {
            name: p.card.name,
            age: p.card.age,
            sex: p.card.sex.label(),
            birth: p.card.birth.to_string(),
            state: StateChip::of(p.card.state),
            labels: p.card.labels,
            crumbs: Vec::new(),
            region_path: p.card.region_path,
            address: p.address_masked,
            id_no: p.id_no_masked.unwrap_or_default(),
            phone: p.card.phone_masked,
            bank_card: p.bank_card_masked.unwrap_or_default(),
            health_known: p.health_known,
            door_code_known: p.door_code_known,
            hukou: p.hukou_path,
            language: p.card.language,
            hearing: p.card.hearing,
            contacts: p
                .contacts
                .into_iter()
                .map(|c| ContactLine {
                    href: format!("/people/{id}/reveal/contact_phone?contact={}", c.id),
                    name: c.name,
                    relation: c.relation,
                    phone: c.phone_masked,
                })
                .collect(),
            facts: facts(&p.facts, &id, book),
            rights: Vec::new(),
            orders: None,
            happened: Vec::new(),
            story: Vec::new(),
            devices: None,
            looked: Vec::new(),
            entered: entered(p.entered_at),
            updated: entered(p.updated_at),
            check_code: p.check_code,
            deceased,
            id,
        }
    }
}

/// What is believed, in the order of the kinds, the latest first.
fn facts(all: &[Fact], id: &str, book: &regions::RegionBook) -> Vec<FactLine> {
    let mut lines = Vec::with_capacity(all.len());
    for kind in people::FACT_KINDS {
        let mut of_kind: Vec<&Fact> = all.iter().filter(|f| f.value.kind() == kind).collect();
        of_kind.sort_by_key(|f| std::cmp::Reverse(f.span.from));
        lines.extend(of_kind.into_iter().map(|f| FactLine {
            kind: kind.label(),
            value: said(&f.value, book),
            days: days(f.span),
            source: f.source.clone(),
            correction: format!("/people/{id}/facts/{}/correction", f.id),
        }));
    }
    lines
}

/// A value in words; a region by its name.
pub(super) fn said(value: &FactValue, book: &regions::RegionBook) -> String {
    match value {
        FactValue::Hukou(code) if value.kind() == FactKind::Hukou => book.path_of(*code),
        other => other.label(),
    }
}

pub(super) fn days(span: Span) -> String {
    match span.to.and_then(|to| to.yesterday().ok()) {
        None => format!("{} 起", span.from),
        Some(last) => format!("{} 至 {last}", span.from),
    }
}

fn right(right: &HeldRight) -> RightLine {
    let said = |n: i64| match right.asset {
        Asset::Fen => Fen(n).to_string(),
        Asset::Minutes => Minutes(n).to_string(),
    };
    RightLine {
        programme: right.name.clone(),
        why: right.why.clone(),
        amount: said(right.amount),
        left: said(right.left()),
    }
}

fn last_orders(tx: &mut Tx<'_>, actor: &Actor, id: PersonId, now: Now) -> Answer<Vec<OrderLine>> {
    let filter = Filter { person: Some(id), ..Filter::default() };
    let page = orders::Page { latest_first: true, limit: ORDERS_SHOWN, ..Default::default() };
    let lines = orders::lines(tx, actor, &filter, page)?;
    Ok(lines
        .into_iter()
        .map(|l| OrderLine {
            href: format!("/orders/{}", l.id),
            when: l.start_at.as_seen(now),
            what: l.service_name,
            state: l.state.label(),
            who: format!("{} {}", l.provider_name, l.carer_name).trim().to_owned(),
        })
        .collect())
}

#[derive(Template)]
#[template(path = "people/show.html")]
struct Show {
    page: Page,
    side: Record,
    clock: ClockView,
}

#[derive(Template)]
#[template(path = "people/print.html")]
struct Paper {
    page: Page,
    side: Record,
    as_of: String,
}

/// `GET /people/{id}`
pub async fn show(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<PersonId>,
) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let (side, clock) = app
        .read(move |tx, now| {
            Ok::<_, No<Never>>((Record::load(tx, &actor, id, now)?, ClockView::load(tx, &actor, id, now)?))
        })
        .await?;
    let mut page = page.titled("老人", "people");
    page.title = side.name.clone();
    Ok(Html(Show { page, side, clock }))
}

/// `GET /people/{id}/print`: the record, masked, on A4.
pub async fn print(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<PersonId>,
) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let side = app.read(move |tx, now| Record::load(tx, &actor, id, now)).await?;
    let as_of = app.now().0.minute();
    Ok(Html(Paper { page: page.titled("老年人档案", "people"), side, as_of }))
}
