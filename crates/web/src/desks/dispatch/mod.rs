//! The dispatch desk: what waits by deadline, who is where, and for the chosen order who goes best and why.
//!
//! The chosen order, the day and the search live in the address, so every part can be fetched anew by itself.

mod chosen;
mod fits;
mod lanes;
mod places;
mod waiting;

use app::{
    orders::{self, LaneAsk},
    outcome::{No, Outcome},
    store::Tx,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    response::IntoResponse,
};
use domain::{
    access::Actor,
    ids::{CarerId, OrderId},
    orders::{OrderRefusal, OrderState},
    time::{Day, Now},
};
use serde::Deserialize;

pub use fits::fits;

use self::{chosen::Chosen, lanes::Lanes, places::Places, waiting::Waits};
use crate::{App, Html, Page, Problem, Reply, Signed, encode, filters, see_with};

/// Carers on one page of the timeline: what a tall screen shows without losing the reader.
const LANES_SHOWN: i64 = 40;

/// What the desk shows, as its address tells.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Ask {
    #[serde(default)]
    day: String,
    #[serde(default)]
    order: String,
    #[serde(default)]
    q: String,
    #[serde(default)]
    skip: String,
    #[serde(default)]
    view: String,
}

/// The word of the address that asks for the map.
const MAP: &str = "map";

/// The same, read: what does not parse is as if it had not been said.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) day: Option<Day>,
    pub(super) order: Option<OrderId>,
    pub(super) name: String,
    pub(super) skip: i64,
    /// The map in place of the timeline.
    pub(super) map: bool,
}

impl Ask {
    fn view(&self) -> View {
        View {
            day: self.day.trim().parse().ok(),
            order: self.order.parse().ok(),
            // The search is a part of a name, never a pattern.
            name: self.q.trim().replace(['%', '_'], ""),
            skip: self.skip.parse().unwrap_or(0),
            map: self.view == MAP,
        }
    }
}

impl View {
    /// The address of a part of the desk, showing the same.
    pub(super) fn address(&self, part: &str) -> String {
        let mut parts = Vec::new();
        if let Some(day) = self.day {
            parts.push(format!("day={day}"));
        }
        if !self.name.is_empty() {
            parts.push(format!("q={}", encode(&self.name)));
        }
        if self.skip > 0 {
            parts.push(format!("skip={}", self.skip));
        }
        if self.map {
            parts.push(format!("view={MAP}"));
        }
        if let Some(order) = self.order {
            parts.push(format!("order={order}"));
        }
        let query = if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) };
        format!("/dispatch{part}{query}")
    }

    pub(super) fn with_order(&self, order: OrderId) -> View {
        View { order: Some(order), ..self.clone() }
    }

    fn shown_day(&self, now: Now) -> Day {
        self.day.unwrap_or(now.day())
    }

    fn lanes(&self, now: Now) -> LaneAsk {
        LaneAsk { day: self.shown_day(now), name: self.name.clone(), offset: self.skip, limit: LANES_SHOWN }
    }
}

#[derive(Template)]
#[template(path = "dispatch/index.html")]
struct Board {
    page: Page,
    now: String,
    day: DaySwitch,
    waiting: Waits,
    middle: Middle,
    chosen: Option<Chosen>,
    figures: Figures,
    address: Addresses,
    problem: String,
}

/// The middle pane.
enum Middle {
    Lanes(Lanes),
    Map(Places),
}

impl Middle {
    fn load(
        tx: &mut Tx<'_>,
        actor: &Actor,
        view: &View,
        chosen: Option<&Chosen>,
        lang: &'static str,
        now: Now,
    ) -> Outcome<Middle, OrderRefusal> {
        Ok(if view.map {
            Middle::Map(places::load(tx, actor, view, chosen, lang, now)?)
        } else {
            Middle::Lanes(lanes::load(tx, actor, view, chosen, now)?)
        })
    }
}

/// Where each part is fetched from.
struct Addresses {
    waiting: String,
    lanes: String,
    chosen: String,
    figures: String,
}

struct DaySwitch {
    is_today: bool,
    day: String,
    label: String,
    before: String,
    after: String,
    today: String,
    name: String,
    order: String,
    /// The two ways to see the day.
    as_lanes: String,
    as_map: String,
    on_map: bool,
}

struct Figures {
    day: String,
    visits: i64,
    done: i64,
    on_time: String,
    then: String,
}

#[derive(Template)]
#[template(path = "dispatch/waiting.html")]
struct WaitingPart {
    page: Page,
    waiting: Waits,
}

#[derive(Template)]
#[template(path = "dispatch/middle.html")]
struct MiddlePart {
    page: Page,
    middle: Middle,
}

#[derive(Template)]
#[template(path = "dispatch/candidates.html")]
struct CandidatesPart {
    page: Page,
    chosen: Option<Chosen>,
}

#[derive(Template)]
#[template(path = "dispatch/figures.html")]
struct FiguresPart {
    page: Page,
    figures: Figures,
}

/// The desk.
pub async fn index(State(app): State<App>, signed: Signed, page: Page, Query(ask): Query<Ask>) -> Reply {
    Ok(Html(board(&app, &signed, page, ask.view(), String::new()).await?).into_response())
}

async fn board(app: &App, signed: &Signed, page: Page, mut view: View, problem: String) -> Reply<Board> {
    let actor = signed.actor();
    let lang = page.lang;
    Ok(app
        .read(move |tx, now| {
            let waiting = orders::waiting(tx, &actor, now).map_err(wider)?;
            // Nothing chosen means the one that is due first.
            view.order = view.order.or_else(|| waiting.first().map(|w| w.line.id));
            let chosen = match view.order {
                Some(id) => chosen::load(tx, &actor, id, &view, now)?,
                None => None,
            };
            // A chosen order brings its day with it, unless another day was asked for.
            view.day = view.day.or_else(|| chosen.as_ref().map(|c| c.day));
            let declines = orders::declines(tx, &actor, now).map_err(wider)?;
            Ok::<_, No<OrderRefusal>>(Board {
                page: page.clone().titled("派单台", "dispatch"),
                now: now.0.rfc3339(),
                day: day_switch(&view, now),
                waiting: Waits::of(&waiting, &declines, &view, now),
                middle: Middle::load(tx, &actor, &view, chosen.as_ref(), lang, now)?,
                figures: figures(tx, &actor, &view, now, lang)?,
                address: Addresses {
                    waiting: view.address("/waiting"),
                    lanes: view.address("/lanes"),
                    chosen: view.address("/candidates"),
                    figures: view.address("/figures"),
                },
                chosen,
                problem: problem.clone(),
            })
        })
        .await?)
}

/// The list of what waits, for a page that is open.
pub async fn waiting(State(app): State<App>, signed: Signed, page: Page, Query(ask): Query<Ask>) -> Reply {
    let (actor, view) = (signed.actor(), ask.view());
    let waiting = app
        .read(move |tx, now| {
            let waiting = orders::waiting(tx, &actor, now)?;
            let declines = orders::declines(tx, &actor, now)?;
            Ok(Waits::of(&waiting, &declines, &view, now))
        })
        .await?;
    Ok(Html(WaitingPart { page, waiting }).into_response())
}

/// The timeline or the map, for a page that is open.
pub async fn timeline(State(app): State<App>, signed: Signed, page: Page, Query(ask): Query<Ask>) -> Reply {
    let (actor, view, lang) = (signed.actor(), ask.view(), page.lang);
    let middle = app
        .read(move |tx, now| {
            let chosen = match view.order {
                Some(id) => chosen::load(tx, &actor, id, &view, now)?,
                None => None,
            };
            Middle::load(tx, &actor, &view, chosen.as_ref(), lang, now)
        })
        .await?;
    Ok(Html(MiddlePart { page, middle }).into_response())
}

/// Who goes best to the chosen order, for a page that is open.
pub async fn candidates(State(app): State<App>, signed: Signed, page: Page, Query(ask): Query<Ask>) -> Reply {
    let (actor, view) = (signed.actor(), ask.view());
    let chosen = app
        .read(move |tx, now| match view.order {
            Some(id) => chosen::load(tx, &actor, id, &view, now),
            None => Ok(None),
        })
        .await?;
    Ok(Html(CandidatesPart { page, chosen }).into_response())
}

/// The day in figures, for a page that is open.
pub async fn day_figures(
    State(app): State<App>,
    signed: Signed,
    page: Page,
    Query(ask): Query<Ask>,
) -> Reply {
    let (actor, view, lang) = (signed.actor(), ask.view(), page.lang);
    let figures = app.read(move |tx, now| figures(tx, &actor, &view, now, lang)).await?;
    Ok(Html(FiguresPart { page, figures }).into_response())
}

/// The offer of an order to a carer, as the desk sends it.
#[derive(Debug, Deserialize)]
pub struct Offer {
    carer: String,
    #[serde(default)]
    partner: String,
    #[serde(default)]
    day: String,
    #[serde(default)]
    q: String,
    #[serde(default)]
    view: String,
}

/// Offers an order; what stands against it is told on the desk, beside the candidates.
pub async fn offer(
    State(app): State<App>,
    signed: Signed,
    page: Page,
    Path(id): Path<String>,
    Form(form): Form<Offer>,
) -> Reply {
    let id: OrderId = id.parse().map_err(|_| Problem::not_found())?;
    let carer: CarerId = form.carer.parse().map_err(|_| Problem::malformed("请选择服务人员"))?;
    let partner: Option<CarerId> = form.partner.parse().ok();
    let ask = Ask { day: form.day, q: form.q, view: form.view, ..Ask::default() };
    let actor = signed.actor();
    let answer = app
        .write(move |tx, now| {
            let state = orders::assign(tx, &actor, id, carer, partner, now)?;
            Ok((state, orders::sheet(tx, &actor, id)?.line.carer_name))
        })
        .await;
    match answer {
        Ok((state, name)) => {
            let then = if state == OrderState::Accepted { "已接单" } else { "等待接单" };
            Ok(see_with(&ask.view().address(""), &format!("已派给{name}，{then}"), None))
        }
        Err(No::Refused(refusal)) => {
            let status = Problem::from(No::Refused(refusal.clone())).status();
            let board = board(&app, &signed, page, ask.view().with_order(id), refusal.to_string()).await?;
            Ok((status, Html(board)).into_response())
        }
        Err(no) => Err(no.into()),
    }
}

fn figures(
    tx: &mut Tx<'_>,
    actor: &Actor,
    view: &View,
    now: Now,
    lang: &str,
) -> Outcome<Figures, OrderRefusal> {
    let day = view.shown_day(now);
    let sums = orders::the_day(tx, actor, day).map_err(wider)?;
    let on_time = if sums.begun == 0 {
        "–".to_owned()
    } else {
        format!("{:.1}%", sums.on_time as f64 * 100.0 / sums.begun as f64)
    };
    let label = if day == now.day() { "今天" } else { "当天" };
    Ok(Figures {
        day: crate::text::translate(label, lang).into_owned(),
        visits: sums.visits,
        done: sums.done,
        on_time,
        then: now.0.clock(),
    })
}

fn day_switch(view: &View, now: Now) -> DaySwitch {
    let day = view.shown_day(now);
    // Another day has its own list of carers, from the first.
    let on = |day: Option<Day>| View { day, skip: 0, ..view.clone() }.address("");
    let label = match day {
        d if d == now.day() => "今天".to_owned(),
        d if Some(d) == now.day().tomorrow().ok() => "明天".to_owned(),
        d if Some(d) == now.day().yesterday().ok() => "昨天".to_owned(),
        d => format!("{} 月 {} 日", d.month(), d.day()),
    };
    DaySwitch {
        is_today: day == now.day(),
        day: day.to_string(),
        label,
        before: on(day.yesterday().ok()),
        after: on(day.tomorrow().ok()),
        today: on(Some(now.day())),
        name: view.name.clone(),
        order: view.order.map(|o| o.to_string()).unwrap_or_default(),
        as_lanes: View { map: false, ..view.clone() }.address(""),
        as_map: View { map: true, ..view.clone() }.address(""),
        on_map: view.map,
    }
}

/// A question's answer has no refusal of its own; the desk's has an order's.
pub(super) fn wider(no: No<app::outcome::Never>) -> No<OrderRefusal> {
    no.map(|never| match never {})
}
